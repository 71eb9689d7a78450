/* gateway/config_file.c - drives libConfuse. Every option is text to it; its callbacks note section, key,
 * value and line, and config_keys.c makes sense of them later. libConfuse ends at the first name that it does
 * not know: the statement is noted, blanked, and the text parsed again, so that one run finds all of them.
 * Called by config.c before there are threads; libConfuse's scanner is global anyway. */
#include "gateway/config_file.h"

#include <confuse.h>

#include "gateway/config_text.h"
#include "lib/secret.h"

enum { UNKNOWN_MAX = 32 };

struct parse {
	struct config_report *report;
	const struct config_key *keyv;
	size_t n_keys;
	char *text;
	struct list *sections;
	struct config_section
		*open; /* the section that is being read; in the list already */
	size_t n_sections;
	char unknown[256]; /* the name that ended this pass */
	unsigned unknown_line;
	bool failed, no_memory;
};
/* libConfuse hands no argument to its callbacks. */
static _Thread_local struct parse *parse;

static void config_entry_destroy(void *p)
{
	struct config_entry *e = p;

	for (size_t i = 0; i < e->n_values; i++) {
		if (e->valuev[i].text) /* it may be a secret */
			secret_wipe(e->valuev[i].text, strlen(e->valuev[i].text));
		mem_deref(e->valuev[i].text);
	}
	mem_deref(e->valuev);
}

static void config_section_destroy(void *p)
{
	struct config_section *s = p;

	mem_deref(s->title);
	list_flush(&s->entries);
}

static size_t key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < parse->n_keys; i++) {
		const struct config_key *k = &parse->keyv[i];

		if (!strcmp(k->section, section) &&
		    (name ? k->name && !strcmp(k->name, name) : !k->name))
			return i;
	}
	return parse->n_keys;
}

static struct config_section *section_open(const cfg_t *cfg)
{
	struct config_section *s = parse->open;

	if (s)
		return s;
	s = mem_zalloc(sizeof(*s), config_section_destroy);
	if (!s)
		goto out;
	s->key = key_find(cfg->name, NULL);
	s->line = config_text_section_line(parse->text, parse->n_sections++);
	if (cfg->title) {
		s->title = base_dup(cfg->title, strlen(cfg->title));
		if (!s->title)
			goto out;
	}
	list_append(parse->sections, &s->le, s);
	parse->open = s;
	return s;
out:
	parse->no_memory = true;
	return mem_deref(s);
}

static struct config_entry *entry_find(const struct config_section *s, size_t key)
{
	for (struct le *le = s->entries.head; le; le = le->next) {
		struct config_entry *e = le->data;

		if (e->key == key)
			return e;
	}
	return NULL;
}

static struct config_entry *entry_add(struct config_section *s, size_t key, unsigned line)
{
	struct config_entry *e = mem_zalloc(sizeof(*e), config_entry_destroy);

	if (!e) {
		parse->no_memory = true;
		return NULL;
	}
	e->key = key;
	e->line = line;
	list_append(&s->entries, &e->le, e);
	return e;
}

static int entry_value(struct config_entry *e, const char *value, unsigned line)
{
	struct config_value *v;

	v = mem_realloc(e->valuev, (e->n_values + 1) * sizeof(*v));
	if (!v && !e->valuev)
		v = mem_zalloc(sizeof(*v), NULL);
	if (!v)
		return ENOMEM;
	e->valuev = v;
	v[e->n_values].line = line;
	v[e->n_values].text = base_dup(value, strlen(value));
	if (!v[e->n_values].text)
		return ENOMEM;
	e->n_values++;
	return 0;
}

/* A value has been read. opt->nvalues is 1 at the first one after "=". */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	size_t key = key_find(cfg->name, opt->name);
	unsigned line = (unsigned)cfg->line;
	struct config_section *s;
	struct config_entry *e;

	*(const char **)result = value;
	if (key == parse->n_keys) { /* libConfuse reads http|listen = … as well */
		config_fault(parse->report, line,
			     "%s is set outside of its section; name { %s = … } would be "
			     "right",
			     opt->name, opt->name);
		return 0;
	}
	s = section_open(cfg);
	if (!s)
		return -1;
	e = entry_find(s, key);
	if (e && opt->nvalues == 1) {
		config_fault(
			parse->report, line,
			"%s is set a second time; once is right (the first is on line "
			"%u)",
			opt->name, e->line);
		return 0;
	}
	if (!e)
		e = entry_add(s, key, line);
	if (!e || entry_value(e, value, line)) {
		parse->no_memory = true;
		return -1;
	}
	return 0;
}

/* The closing brace of a section. */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *sec = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	struct config_section *s;

	if (!sec || !(s = section_open(sec)))
		return -1;
	/* An empty list calls nobody. */
	for (cfg_opt_t *o = sec->opts; o->name; o++) {
		size_t key = key_find(sec->name, o->name);

		if ((o->flags & CFGF_MODIFIED) && !o->nvalues && !entry_find(s, key))
			entry_add(s, key, s->line);
	}
	parse->open = NULL;
	return parse->no_memory ? -1 : 0;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance; `a` is at most 40 long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[41], n = (unsigned)strlen(a);

	for (unsigned i = 0; i <= n; i++)
		row[i] = i;
	for (unsigned j = 1; b[j - 1]; j++) {
		unsigned diagonal = row[0];

		row[0] = j;
		for (unsigned i = 1; i <= n; i++) {
			unsigned up = row[i];

			row[i] = min3(up + 1, row[i - 1] + 1,
				      diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[n];
}

/* Says that a name is unknown, and the nearest one that is known here, or all of them. */
static void say_unknown(const cfg_t *cfg, const char *name)
{
	bool root = !strcmp(cfg->name, "root");
	const char *what = root ? "section" : "option", *nearest = NULL;
	unsigned best = 3, len = (unsigned)strlen(name);
	char all[400] = "";
	size_t used = 0;

	for (const cfg_opt_t *o = cfg->opts; o->name; o++) {
		unsigned d = len <= 40 ? distance(name, o->name) : best;

		if (d < best && d < len) {
			best = d;
			nearest = o->name;
		}
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
						 used ? ", " : "", o->name);
	}
	if (nearest)
		config_fault(parse->report, (unsigned)cfg->line,
			     "there is no %s \"%s\"%s%s; did you mean \"%s\"?", what,
			     name, root ? "" : " in ", root ? "" : cfg->name, nearest);
	else
		config_fault(parse->report, (unsigned)cfg->line,
			     "there is no %s \"%s\"%s%s; known are: %s%s", what, name,
			     root ? "" : " in ", root ? "" : cfg->name, all,
			     used >= sizeof(all) ? ", …" : "");
}

/* libConfuse's own messages, and what would be right instead. */
static void PRINTF_LIKE(2, 0) on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	static const struct {
		const char *begins, *right;
	} hints[] = {
		{"unexpected token", "an option is written name = \"value\", a list "
				     "{\"a\", \"b\"}, a section name { … }"},
		{"missing equal sign", "name = \"value\" would be right"},
		{"premature end", "a closing } is missing"},
		{"missing opening brace", "a section is written name { … }, with a title "
					  "name \"title\" { … }"},
		{"missing title for section 'peer'",
		 "peer \"beta.example\" { … } would be right"},
		{"missing title for section 'trunk'",
		 "trunk \"asterisk\" { … } would be right"},
		{"missing title for section 'site'",
		 "site \"alpha.example\" { … } would be right"},
		{"unexpected closing brace", "there is one } too many, or a { is missing "
					     "further up"},
		{"no sub-section", "a name is made of letters and dashes"},
		{"found duplicate title", "each stands in the file once"},
		{"attempt to append", "write = instead of +="},
	};
	const char *right = "see slussd.conf(5)";
	char text[256];

	parse->failed = true;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (!strncmp(text, "no such option '", 16)) {
		/* Cut when it is longer: config_text_blank() does not find it, and parsing ends. */
		size_t n = strlen(text) - 16 - (text[strlen(text) - 1] == '\'');

		memcpy(parse->unknown, text + 16, n);
		parse->unknown[n] = '\0';
		parse->unknown_line = (unsigned)cfg->line;
		say_unknown(cfg, parse->unknown);
		return;
	}
	for (size_t i = 0; i < N_ELEMS(hints); i++) {
		if (!strncmp(text, hints[i].begins, strlen(hints[i].begins)))
			right = hints[i].right;
	}
	config_fault(parse->report, (unsigned)cfg->line, "%s; %s", text, right);
}

/* Options of the section whose own row is keyv[i]; gives the row behind it. */
static size_t opts_make(cfg_opt_t **optsp, size_t i)
{
	static const cfg_opt_t end = CFG_END();
	size_t first = i + 1, n = 0;
	cfg_opt_t *opts;

	while (first + n < parse->n_keys && parse->keyv[first + n].name)
		n++;
	opts = mem_zalloc((n + 1) * sizeof(*opts), NULL);
	for (size_t k = 0; opts && k < n; k++) {
		const struct config_key *key = &parse->keyv[first + k];
		const cfg_opt_t one =
			CFG_STR_CB(key->name, NULL, CFGF_NODEFAULT, on_value);
		const cfg_opt_t many =
			CFG_STR_LIST_CB(key->name, NULL, CFGF_NODEFAULT, on_value);

		opts[k] = key->list ? many : one;
	}
	if (opts)
		opts[n] = end;
	*optsp = opts;
	return first + n;
}

enum { SECTIONS_MAX = 24 };

static cfg_t *parser_make(const char *file)
{
	cfg_opt_t root[SECTIONS_MAX + 1] = {0}, *optsv[SECTIONS_MAX] = {0};
	const cfg_opt_t end = CFG_END();
	cfg_t *cfg = NULL;
	size_t n = 0;

	for (size_t i = 0; i < parse->n_keys && n < SECTIONS_MAX; n++) {
		const struct config_key *key = &parse->keyv[i];
		const cfg_flag_t flags =
			CFGF_MULTI | (key->titled ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : 0);

		i = opts_make(&optsv[n], i);
		if (!optsv[n])
			goto out;
		root[n] = (cfg_opt_t)CFG_SEC(key->section, optsv[n], flags);
	}
	root[n] = end;
	cfg = cfg_init(root, CFGF_NONE); /* copies the options */
	if (!cfg)
		goto out;
	cfg->filename = strdup(file);
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < n; i++)
		cfg_set_validate_func(cfg, root[i].name, on_section);
out:
	for (size_t i = 0; i < SECTIONS_MAX; i++)
		mem_deref(optsv[i]);
	return cfg;
}

/* Once through the text. Errors: EAGAIN: a name was unknown. */
static int parse_once(const char *file)
{
	cfg_t *cfg = parser_make(file);
	FILE *f = NULL;
	int err = 0;

	parse->open = NULL;
	parse->n_sections = 0;
	parse->failed = false;
	parse->unknown_line = 0;
	list_flush(parse->sections);
	if (!cfg)
		return ENOMEM;
	if (*parse->text) {
		f = fmemopen(parse->text, strlen(parse->text), "r");
		if (!f)
			err = ENOMEM;
	}
	if (f && cfg_parse_fp(cfg, f) != CFG_SUCCESS) {
		if (!parse->failed && !parse->no_memory)
			config_fault(parse->report, (unsigned)cfg->line,
				     "this cannot be understood; see slussd.conf(5)");
		err = parse->no_memory ? ENOMEM : parse->unknown_line ? EAGAIN : EINVAL;
	}
	if (f)
		fclose(f);
	cfg_free(cfg);
	return err;
}

int config_file_parse(struct list *sections, struct config_report *r, const char *file,
		      const char *text, size_t n, const struct config_key *keyv,
		      size_t n_keys)
{
	struct parse p = {
		.report = r, .keyv = keyv, .n_keys = n_keys, .sections = sections};
	int err = config_text_alloc(&p.text, r, text, n);
	unsigned rounds = 0, unclosed;

	if (err)
		return err;
	unclosed = config_text_unclosed_line(p.text);
	if (unclosed)
		config_fault(r, unclosed, "the { on this line has no closing }");
	parse = &p;
	while ((err = parse_once(file)) == EAGAIN) {
		err = EINVAL;
		if (++rounds == UNKNOWN_MAX ||
		    config_text_blank(p.text, p.unknown_line, p.unknown))
			break;
	}
	parse = NULL;
	if (p.text)
		secret_wipe(p.text, strlen(p.text));
	mem_deref(p.text);
	return err ? err : unclosed ? EINVAL : 0;
}
