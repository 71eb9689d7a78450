/* gateway/store_migrations.c - the tables of the store, one migration after the other; lib/db.c carries out those that a file
 * has not seen yet. What has been released is never changed. Constants; used by store.c. */
#include "gateway/store_own.h"

const struct db_migration store_migrations[] = {
	{1, "accounts and sign-ins",
	 "CREATE TABLE account ("
	 "  site TEXT NOT NULL, user TEXT NOT NULL, hash TEXT NOT NULL,"
	 "  created INTEGER NOT NULL,"
	 "  PRIMARY KEY (site, user)) STRICT, WITHOUT ROWID;"
	 "CREATE TABLE session ("
	 "  number INTEGER PRIMARY KEY AUTOINCREMENT," /* the order they were made in */
	 "  token_sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
	 "  site TEXT NOT NULL, user TEXT NOT NULL, expires INTEGER NOT NULL,"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT;"
	 "CREATE INDEX session_by_user ON session (site, user, number);"
	 "CREATE INDEX session_by_expiry ON session (expires);"},
	{2, "what a sign-in is made on, and for whom",
	 "ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE session ADD COLUMN origin TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE session ADD COLUMN created INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE session ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE session SET created = unixepoch(), seen = unixepoch();"},
	{3, "calls that are established, to be joined again after a crash",
	 "CREATE TABLE call ("
	 "  id TEXT PRIMARY KEY, run TEXT NOT NULL," /* which process wrote it */
	 "  a TEXT NOT NULL, a_here INTEGER NOT NULL,"
	 "  b TEXT NOT NULL, b_here INTEGER NOT NULL,"
	 "  dialog TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;"},
	{4, "the identity provider",
	 /* what assertions are signed with: P-256, both halves in hex */
	 "CREATE TABLE idp_key ("
	 "  site TEXT NOT NULL, kid TEXT NOT NULL, secret TEXT NOT NULL,"
	 "  x TEXT NOT NULL, y TEXT NOT NULL, created INTEGER NOT NULL,"
	 "  retired INTEGER NOT NULL DEFAULT 0," /* 0: in use */
	 "  PRIMARY KEY (site, kid)) STRICT, WITHOUT ROWID;"
	 "CREATE UNIQUE INDEX idp_key_in_use ON idp_key (site) WHERE retired = 0;"
	 /* what pseudonyms are made with */
	 "CREATE TABLE idp_secret (site TEXT PRIMARY KEY, pairwise TEXT NOT NULL)"
	 "  STRICT, WITHOUT ROWID;"
	 "CREATE TABLE idp_session ("
	 "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
	 "  token_sha256 TEXT NOT NULL UNIQUE, site TEXT NOT NULL, user TEXT NOT NULL,"
	 "  created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT;"
	 "CREATE INDEX idp_session_by_user ON idp_session (site, user, number);"
	 "CREATE TABLE idp_consent ("
	 "  site TEXT NOT NULL, user TEXT NOT NULL, origin TEXT NOT NULL,"
	 "  frames INTEGER NOT NULL, claims TEXT NOT NULL," /* words; a blank between */
	 "  own INTEGER NOT NULL DEFAULT 0," /* the site's own page: not asked */
	 "  since INTEGER NOT NULL, used INTEGER NOT NULL,"
	 "  PRIMARY KEY (site, user, origin),"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"
	 "CREATE TABLE idp_grant ("
	 "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
	 "  token_sha256 TEXT NOT NULL UNIQUE,"
	 "  site TEXT NOT NULL, user TEXT NOT NULL, origin TEXT NOT NULL,"
	 "  created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	 "  FOREIGN KEY (site, user, origin)"
	 "    REFERENCES idp_consent (site, user, origin) ON DELETE CASCADE) STRICT;"
	 "CREATE INDEX idp_grant_by_origin ON idp_grant (site, user, origin, number);"
	 "CREATE TABLE idp_code ("
	 "  code_sha256 TEXT PRIMARY KEY,"
	 "  site TEXT NOT NULL, user TEXT NOT NULL, origin TEXT NOT NULL,"
	 "  challenge TEXT NOT NULL, expires INTEGER NOT NULL,"
	 "  FOREIGN KEY (site, user, origin)"
	 "    REFERENCES idp_consent (site, user, origin) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"
	 "CREATE INDEX idp_code_by_origin ON idp_code (site, user, origin);"
	 "CREATE TABLE idp_rule ("
	 "  site TEXT NOT NULL, user TEXT NOT NULL, place INTEGER NOT NULL,"
	 "  whom TEXT NOT NULL, reveal TEXT NOT NULL, claims TEXT NOT NULL,"
	 "  PRIMARY KEY (site, user, place),"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"
	 "CREATE TABLE idp_profile ("
	 "  site TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL DEFAULT '',"
	 "  picture TEXT NOT NULL DEFAULT '', email TEXT NOT NULL DEFAULT '',"
	 "  email_verified INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site, user),"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"
	 /* who somebody is at an OpenID provider */
	 "CREATE TABLE idp_upstream ("
	 "  site TEXT NOT NULL, issuer TEXT NOT NULL, sub TEXT NOT NULL,"
	 "  user TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL,"
	 "  PRIMARY KEY (site, issuer, sub),"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"
	 "CREATE INDEX idp_upstream_by_user ON idp_upstream (site, user);"},
	{5, "whose calls ring",
	 "ALTER TABLE account ADD COLUMN ring TEXT NOT NULL DEFAULT 'anyone';"},
	{6, "minutes on trunks",
	 "CREATE TABLE spent ("
	 "  day INTEGER NOT NULL, user TEXT NOT NULL, trunk TEXT NOT NULL,"
	 "  minutes INTEGER NOT NULL,"
	 "  PRIMARY KEY (day, user, trunk)) STRICT, WITHOUT ROWID;"},
	{7, "who is no stranger, and whose address is hidden",
	 "ALTER TABLE account ADD COLUMN relay TEXT NOT NULL DEFAULT 'site';"
	 "CREATE TABLE known (" /* whom a user has called, or whose call was accepted */
	 "  site TEXT NOT NULL, user TEXT NOT NULL, other TEXT NOT NULL,"
	 "  seen INTEGER NOT NULL, PRIMARY KEY (site, user, other),"
	 "  FOREIGN KEY (site, user) REFERENCES account (site, user) ON DELETE CASCADE"
	 ") STRICT, WITHOUT ROWID;"},
};
const size_t store_migrations_n = N_ELEMS(store_migrations);
