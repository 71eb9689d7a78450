/* sip/edge/txn_fsm.c - see txn_fsm.h: the tables. Called by txn.c alone. */
#include "sip/edge/txn_fsm.h"

static const char *const txn_state_namev[TXN_STATE_N] = {
	"DIALLING", "SENT", "PROCEEDING", "ANSWERED", "REFUSED", "FAILED", "GONE",
};
static const char *const txn_event_namev[TXN_EVENT_N] = {
	"WRITTEN", "PROVISIONAL", "SUCCESS", "REFUSAL",
	"LOST",    "ACK",         "CANCEL",  "TIMEOUT",
};

#define PASS       TXN_DO_PASS
#define FAIL       (TXN_DO_SYNTH_503 | TXN_DO_NO_DIAL)
#define CANCELLED  (TXN_DO_CANCEL_OK | TXN_DO_SYNTH_487 | TXN_DO_NO_DIAL)
#define CANCEL_481 TXN_DO_CANCEL_481
#define ROUTE      TXN_DO_ROUTE

/* clang-format off */
static const struct txn_step txn_invite[TXN_STATE_N][TXN_EVENT_N] = {
/*                   WRITTEN                 PROVISIONAL               SUCCESS                 REFUSAL */
[TXN_DIALLING]   = {{TXN_SENT, 0},          {TXN_DIALLING, 0},        {TXN_DIALLING, 0},      {TXN_DIALLING, 0},
/*                   LOST                    ACK                       CANCEL                  TIMEOUT */
                    {TXN_FAILED, FAIL},     {TXN_DIALLING, 0},        {TXN_FAILED, CANCELLED},{TXN_FAILED, FAIL}},
[TXN_SENT]       = {{TXN_SENT, 0},          {TXN_PROCEEDING, PASS},   {TXN_ANSWERED, PASS},   {TXN_REFUSED, PASS},
                    {TXN_FAILED, FAIL},     {TXN_SENT, 0},            {TXN_SENT, PASS},       {TXN_GONE, 0}},
[TXN_PROCEEDING] = {{TXN_PROCEEDING, 0},    {TXN_PROCEEDING, PASS},   {TXN_ANSWERED, PASS},   {TXN_REFUSED, PASS},
                    {TXN_FAILED, FAIL},     {TXN_PROCEEDING, 0},      {TXN_PROCEEDING, PASS}, {TXN_GONE, 0}},
[TXN_ANSWERED]   = {{TXN_ANSWERED, 0},      {TXN_ANSWERED, PASS},     {TXN_ANSWERED, PASS},   {TXN_ANSWERED, 0},
                    {TXN_ANSWERED, 0},      {TXN_ANSWERED, ROUTE},    {TXN_ANSWERED, PASS},   {TXN_GONE, 0}},
[TXN_REFUSED]    = {{TXN_REFUSED, 0},       {TXN_REFUSED, 0},         {TXN_ANSWERED, PASS},   {TXN_REFUSED, PASS},
                    {TXN_REFUSED, 0},       {TXN_REFUSED, PASS},      {TXN_REFUSED, CANCEL_481}, {TXN_GONE, 0}},
/* A 2xx that comes after our 503 goes on: the leg says ACK and BYE to it. */
[TXN_FAILED]     = {{TXN_FAILED, 0},        {TXN_FAILED, 0},          {TXN_ANSWERED, PASS},   {TXN_FAILED, 0},
                    {TXN_FAILED, 0},        {TXN_FAILED, 0},          {TXN_FAILED, CANCEL_481}, {TXN_GONE, 0}},
[TXN_GONE]       = {{TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, 0},          {TXN_GONE, 0},
                    {TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, CANCEL_481}, {TXN_GONE, 0}},
};

/* Over a stream a final is not repeated, so nothing is remembered behind it. */
static const struct txn_step txn_other[TXN_STATE_N][TXN_EVENT_N] = {
[TXN_DIALLING]   = {{TXN_SENT, 0},          {TXN_DIALLING, 0},        {TXN_DIALLING, 0},      {TXN_DIALLING, 0},
                    {TXN_GONE, FAIL},       {TXN_DIALLING, 0},        {TXN_DIALLING, CANCEL_481}, {TXN_GONE, FAIL}},
[TXN_SENT]       = {{TXN_SENT, 0},          {TXN_PROCEEDING, PASS},   {TXN_GONE, PASS},       {TXN_GONE, PASS},
                    {TXN_GONE, FAIL},       {TXN_SENT, 0},            {TXN_SENT, CANCEL_481}, {TXN_GONE, 0}},
[TXN_PROCEEDING] = {{TXN_PROCEEDING, 0},    {TXN_PROCEEDING, PASS},   {TXN_GONE, PASS},       {TXN_GONE, PASS},
                    {TXN_GONE, FAIL},       {TXN_PROCEEDING, 0},      {TXN_PROCEEDING, CANCEL_481}, {TXN_GONE, 0}},
[TXN_ANSWERED]   = {{TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, 0},          {TXN_GONE, 0},
                    {TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, CANCEL_481}, {TXN_GONE, 0}},
[TXN_REFUSED]    = {{TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, 0},          {TXN_GONE, 0},
                    {TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, CANCEL_481}, {TXN_GONE, 0}},
[TXN_FAILED]     = {{TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, 0},          {TXN_GONE, 0},
                    {TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, CANCEL_481}, {TXN_GONE, 0}},
[TXN_GONE]       = {{TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, 0},          {TXN_GONE, 0},
                    {TXN_GONE, 0},          {TXN_GONE, 0},            {TXN_GONE, CANCEL_481}, {TXN_GONE, 0}},
};
/* clang-format on */

struct txn_step txn_fsm(bool invite, enum txn_state state, enum txn_event event)
{
	return (invite ? txn_invite : txn_other)[state][event];
}

const char *txn_state_name(enum txn_state state)
{
	return txn_state_namev[state];
}

const char *txn_event_name(enum txn_event event)
{
	return txn_event_namev[event];
}

unsigned txn_state_s(bool invite, enum txn_state state)
{
	/* 64*T1 is 32 s: a little more, so that Sofia's own timers come first. A ringing
	 * INVITE has timer C, which is over 3 minutes (RFC 3261 §16.6 step 11). */
	if (state == TXN_PROCEEDING && invite)
		return 240;
	return 36;
}
