/* tests/fake/fake_own.h - private to tests/fake/. */
#ifndef SLUSS_TESTS_FAKE_FAKE_OWN_H
#define SLUSS_TESTS_FAKE_FAKE_OWN_H

#include "tests/fake/fake.h"

extern const struct federation_ops fake_federation_ops;
void fake_federation_forget(struct fake_federation *ff);
int fake_path_relay(struct path **pp, struct core *core, const struct path_setup *setup);
int fake_path_anchor(struct path **pp, struct core *core, const struct path_setup *setup);

#endif
