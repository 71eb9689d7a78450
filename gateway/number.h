/* gateway/number.h - telephone numbers: what is one, how it is written here and there. Pure.
 *
 * Inside the house a number stands as E.164 with its plus where the plan of the place says how to get there
 * ("+49301234567"), else as it was dialled ("200", an extension). It is the user part of an address. */
#ifndef SLUSS_GATEWAY_NUMBER_H
#define SLUSS_GATEWAY_NUMBER_H

#include "lib/base.h"

enum { NUMBER_MAX = 32, NUMBER_PREFIX_MAX = 7 };

/** How numbers are dialled at a place. Empty parts: there is no such thing. */
struct number_plan {
	char country[4];                           /**< "49" */
	char national[NUMBER_PREFIX_MAX + 1];      /**< "0" before an area code */
	char international[NUMBER_PREFIX_MAX + 1]; /**< "00" before a country */
};

/** How a trunk wants them. */
enum number_format {
	NUMBER_E164,          /**< +49301234567 */
	NUMBER_PLAIN,         /**< 49301234567 */
	NUMBER_INTERNATIONAL, /**< 0049301234567 */
	NUMBER_NATIONAL,      /**< 0301234567 in the own country, else as international */
};

/** Digits, perhaps behind a plus, NUMBER_MAX characters at most. */
bool number_is(const char *text);
/** What was dialled or came from a trunk, in the form of the house. `text` is a number. */
void number_normal(char out[NUMBER_MAX + 1], const char *text,
		   const struct number_plan *plan);
/** For a trunk; what has no plus goes as it is. */
void number_write(char out[NUMBER_MAX + 1], const char *number, enum number_format format,
		  const struct number_plan *plan);
/** The longest of these prefixes that the number begins with, in characters; 0: none. NULL ended, may be NULL. */
size_t number_prefix(char *const *prefixv, const char *number);

#endif
