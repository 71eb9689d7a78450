/* tests/fake/fake_path.c - a path that marks what passes and writes down what it was asked; it aborts when the
 * rules of gateway/path.h are broken. */
#include "tests/fake/fake.h"
#include "tests/fake/fake_own.h"

static void broken(const struct fake_path *fp, const char *what)
{
	fprintf(stderr, "fake_path: %s, after: %s\n", what, fp->trace);
	abort();
}

static char name(enum path_side side)
{
	return side == PATH_A ? 'A' : 'B';
}

static void trace(struct fake_path *fp, const char *op, enum path_side side)
{
	size_t n = strlen(fp->trace);

	snprintf(fp->trace + n, sizeof(fp->trace) - n, "%s%s(%c)", n ? " " : "", op,
		 name(side));
}

/* What comes out is what went in and one more line that says by which way it came. */
static struct body *marked(const struct body *in, enum path_side from)
{
	char text[4096];

	snprintf(text, sizeof(text), "%sa=x-from:%c\r\n", in ? in->data : fake_sdp_offer,
		 name(from));
	return fake_body(text);
}

static int op_offer(struct path *p, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	struct fake_path *fp = (struct fake_path *)p;

	if (fp->offered != FAKE_PATH_NONE)
		broken(fp, "an offer while another one is open");
	trace(fp, in ? "offer" : "late", from);
	if (fp->err_offer) {
		cause_set(why, CAUSE_MEDIA, "It does not like the offer.");
		return fp->err_offer;
	}
	fp->offered = from;
	*outp = marked(in, from);
	return 0;
}

static int op_answer(struct path *p, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why)
{
	struct fake_path *fp = (struct fake_path *)p;

	if (fp->late_answers && from == PATH_A) { /* what A owed */
		trace(fp, "late-answer", from);
		return 0;
	}
	if (fp->offered == FAKE_PATH_NONE || fp->offered == (int)from)
		broken(fp, "an answer to no offer");
	trace(fp, "answer", from);
	if (fp->err_answer) {
		cause_set(why, CAUSE_MEDIA, "It does not like the answer.");
		return fp->err_answer;
	}
	fp->offered = FAKE_PATH_NONE;
	*outp = marked(in, from);
	return 0;
}

static int op_early(struct path *p, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	(void)why;
	trace((struct fake_path *)p, "early", from);
	*outp = marked(in, from);
	return 0;
}

static void op_undo(struct path *p, enum path_side from)
{
	struct fake_path *fp = (struct fake_path *)p;

	trace(fp, "undo", from);
	if (fp->offered == (int)from)
		fp->offered = FAKE_PATH_NONE;
}

static int op_candidates(struct path *p, enum path_side from, const struct candidates *in,
			 struct candidates **outp)
{
	struct fake_path *fp = (struct fake_path *)p;

	trace(fp, "candidates", from);
	fp->n_candidates += in->n;
	if (fp->passes_candidates)
		*outp = mem_ref((void *)in);
	return 0;
}

static const struct path_ops ops = {
	.offer = op_offer,
	.answer = op_answer,
	.early = op_early,
	.undo = op_undo,
	.candidates = op_candidates,
};

static void destructor(void *arg)
{
	struct fake_path *fp = arg;

	fp->core->path = NULL;
	fp->core->n_paths_ended++;
}

static int make(struct path **pp, struct core *core, const struct path_setup *setup,
		enum media_mode mode)
{
	struct fake_core *fc = (struct fake_core *)core;
	struct fake_path *fp;

	if (fc->err_path)
		return fc->err_path;
	fp = mem_zalloc(sizeof(*fp), destructor);
	if (!fp)
		return ENOMEM;
	fp->path.ops = &ops;
	fp->path.mode = mode;
	fp->offered = FAKE_PATH_NONE;
	fp->setup = *setup;
	fp->core = fc;
	fc->path = fp;
	*pp = &fp->path;
	return 0;
}

int fake_path_relay(struct path **pp, struct core *core, const struct path_setup *setup)
{
	return make(pp, core, setup, MODE_RELAY);
}

int fake_path_anchor(struct path **pp, struct core *core, const struct path_setup *setup)
{
	return make(pp, core, setup, MODE_ANCHOR);
}

void fake_path_over(struct fake_path *fp, enum cause_reason reason)
{
	struct cause c;

	fp->setup.over_h(cause_set(&c, reason, NULL), fp->setup.arg);
}
