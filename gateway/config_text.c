/* gateway/config_text.c - makes a configuration file fit for libConfuse: comments out, faults of the text
 * itself said, and statements that are unknown taken out, so that the parser can go on behind them and all
 * errors are found in one run. Called by config_file.c, before there are threads. */
#include "gateway/config_text.h"

#include <ctype.h>

struct scan {
	char *p;
	struct config_report *report;
	unsigned line;
	bool bad;
};

static void blank(char *p, char *end)
{
	for (; p < end; p++) {
		if (*p != '\n')
			*p = ' ';
	}
}

/* At the opening quote. Moves behind the closing one; a fault leaves p at the line's end. */
static void scan_quoted(struct scan *s)
{
	char quote = *s->p++;

	while (*s->p && *s->p != '\n' && *s->p != quote) {
		if (quote == '"' && s->p[0] == '$' && s->p[1] == '{') {
			config_fault(
				s->report, s->line,
				"\"${\" would be replaced from the environment; write "
				"the value itself, or put it in single quotes");
			s->bad = true;
		}
		s->p += s->p[0] == '\\' && s->p[1] && s->p[1] != '\n' ? 2 : 1;
	}
	if (*s->p == quote) {
		s->p++;
		return;
	}
	config_fault(s->report, s->line,
		     "the quoted text does not end on its line; a closing %c is missing",
		     quote);
	s->bad = true;
}

static void scan_comment(struct scan *s)
{
	char *end = s->p + 2;

	if (s->p[0] == '/' && s->p[1] == '*') {
		unsigned from = s->line;

		while (*end && !(end[0] == '*' && end[1] == '/'))
			s->line += *end++ == '\n';
		if (!*end) {
			config_fault(s->report, from,
				     "the comment that begins here has no end; */ is "
				     "missing");
			s->bad = true;
		} else {
			end += 2;
		}
	} else {
		end = s->p + strcspn(s->p, "\n");
	}
	blank(s->p, end);
	s->p = end;
}

/* One step outside of quotes. `fresh`: a word may begin here. */
static void scan_step(struct scan *s, bool fresh)
{
	char *p = s->p;

	if (*p == '"' || *p == '\'') {
		scan_quoted(s);
	} else if (*p == '#' || (p[0] == '/' && p[1] == '*') ||
		   (fresh && p[0] == '/' && p[1] == '/')) {
		scan_comment(s);
	} else {
		if (p[0] == '$' && p[1] == '{') {
			config_fault(
				s->report, s->line,
				"\"${\" would be replaced from the environment; write "
				"the value itself, in quotes");
			s->bad = true;
		}
		if (*p == '\r')
			*p = ' ';
		s->line += *p == '\n';
		s->p++;
	}
}

/* Bytes that no text file holds. One fault is enough: what follows is no text either. */
static bool scan_binary(struct config_report *r, const char *p, size_t n)
{
	unsigned line = 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			config_fault(r, line,
				     "byte 0x%02x stands here; a configuration is plain "
				     "text",
				     c);
			return true;
		}
		line += c == '\n';
	}
	return false;
}

int config_text_alloc(char **textp, struct config_report *r, const char *p, size_t n)
{
	struct scan s = {.report = r, .line = 1};
	bool fresh = true;
	char *text;

	if (n > CONFIG_TEXT_MAX_BYTES) {
		config_fault(r, 0, "is %zu bytes long; at most %d would be right", n,
			     CONFIG_TEXT_MAX_BYTES);
		return EINVAL;
	}
	if (scan_binary(r, p, n))
		return EINVAL;
	text = base_dup(p, n);
	if (!text)
		return ENOMEM;
	for (s.p = text; *s.p;) {
		char c = *s.p;

		scan_step(&s, fresh);
		fresh = isspace((unsigned char)c) || strchr("{}()=,", c);
	}
	if (s.bad) {
		mem_deref(text);
		return EINVAL;
	}
	*textp = text;
	return 0;
}

struct token {
	const char *p, *end; /* p == end: none is left */
	unsigned line;
};

/* The next word, quoted text or sign behind `t`. */
static void token_next(struct token *t)
{
	const char *p = t->end;

	while (isspace((unsigned char)*p))
		t->line += *p++ == '\n';
	t->p = p;
	if (!*p) {
		t->end = p;
		return;
	}
	if (*p == '"' || *p == '\'') {
		char quote = *p++;

		while (*p && *p != quote)
			p += p[0] == '\\' && p[1] ? 2 : 1;
		p += *p == quote;
	} else if (p[0] == '+' && p[1] == '=') {
		p += 2;
	} else if (strchr("{}()=,+", *p)) {
		p++;
	} else {
		p += strcspn(p, " \t\n\"'{}()=,+");
	}
	t->end = p;
}

static bool token_is(const struct token *t, const char *sign)
{
	return (size_t)(t->end - t->p) == strlen(sign) &&
	       !memcmp(t->p, sign, strlen(sign));
}

static bool token_is_text(const struct token *t)
{
	return t->p != t->end && !strchr("{}()=,+", *t->p);
}

static bool token_names(const struct token *t, const char *name)
{
	size_t quotes = t->p != t->end && (*t->p == '"' || *t->p == '\'');

	return (size_t)(t->end - t->p) == strlen(name) + 2 * quotes &&
	       !memcmp(t->p + quotes, name, strlen(name));
}

unsigned config_text_section_line(const char *text, size_t nth)
{
	struct token t = {.end = text, .line = 1};
	size_t depth = 0;

	for (token_next(&t); t.p != t.end; token_next(&t)) {
		if (token_is(&t, "{") && depth++ == 0 && nth-- == 0)
			return t.line;
		if (token_is(&t, "}") && depth)
			depth--;
	}
	return 0;
}

unsigned config_text_unclosed_line(const char *text)
{
	struct token t = {.end = text, .line = 1};
	unsigned line = 0;
	size_t depth = 0;

	for (token_next(&t); t.p != t.end; token_next(&t)) {
		if (token_is(&t, "{") && depth++ == 0)
			line = t.line;
		if (token_is(&t, "}") && depth)
			depth--;
	}
	return depth ? line : 0;
}

/* From an opening brace to its closing one, or to the end. */
static void token_skip_braces(struct token *t)
{
	size_t depth = 0;

	for (; t->p != t->end; token_next(t)) {
		if (token_is(t, "{"))
			depth++;
		else if (token_is(t, "}") && --depth == 0)
			return;
	}
}

/* Where the statement that begins with the word `name` ends. */
static const char *token_statement_end(const struct token *name)
{
	struct token a = *name, b;

	token_next(&a);
	b = a;
	token_next(&b);
	if (token_is(&a, "=") || token_is(&a, "+=")) {
		if (token_is(&b, "{"))
			token_skip_braces(&b);
		else if (!token_is_text(&b))
			return a.end;
		return b.end;
	}
	if (token_is(&a, "{")) {
		token_skip_braces(&a);
		return a.end;
	}
	if (token_is_text(&a) && token_is(&b, "{")) {
		token_skip_braces(&b);
		return b.end;
	}
	return name->end;
}

int config_text_blank(char *text, unsigned line, const char *name)
{
	struct token t = {.end = text, .line = 1};
	bool value = false;

	for (token_next(&t); t.p != t.end; token_next(&t)) {
		if (t.line == line && !value && token_names(&t, name))
			break;
		value = token_is(&t, "=") || token_is(&t, "+=") || token_is(&t, ",");
	}
	if (t.p == t.end)
		return ENOENT;
	blank(text + (t.p - text), text + (token_statement_end(&t) - text));
	return 0;
}
