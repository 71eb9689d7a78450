/* sip/edge/tls_words.c - what went wrong with TLS, in words for a person. Pure but for
 * OpenSSL's error queue. Called by tls.c and the connections. The texts end the sentence
 * "beta.example could not be reached: …". */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/cert.h"
#include "sip/edge/tls.h"

static void tls_why_when(char why[TLS_WHY], const char *whose, const ASN1_TIME *t)
{
	int days = 0, seconds = 0;

	/* From then to now. */
	ASN1_TIME_diff(&days, &seconds, t, NULL);
	if (days <= 0)
		snprintf(why, TLS_WHY, "%s certificate expired today", whose);
	else if (days == 1)
		snprintf(why, TLS_WHY, "%s certificate expired yesterday", whose);
	else
		snprintf(why, TLS_WHY, "%s certificate expired %d days ago", whose, days);
}

static void tls_why_names(char why[TLS_WHY], X509 *cert)
{
	char names[80] = "";
	size_t n = cert ? cert_names(cert, names, sizeof(names)) : 0;

	if (!n || !*names)
		snprintf(why, TLS_WHY, "its certificate is for other names");
	else
		snprintf(why, TLS_WHY, "its certificate is for other names (%s%s)", names,
			 n > 1 && strlen(names) > 60 ? " …" : "");
}

void tls_why_verify(char why[TLS_WHY], int error, int depth, X509 *cert)
{
	const char *whose = depth ? "its authority's" : "its";

	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		tls_why_when(why, whose, cert ? X509_get0_notAfter(cert) : NULL);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(why, TLS_WHY, "%s certificate is not valid yet", whose);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		tls_why_names(why, cert);
		break;
	case X509_V_ERR_CERT_REVOKED:
		snprintf(why, TLS_WHY, "%s certificate was revoked", whose);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		snprintf(why, TLS_WHY, "%s certificate is not meant for this use", whose);
		break;
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		snprintf(why, TLS_WHY, "its certificate is not from a trusted authority");
		break;
	default:
		snprintf(why, TLS_WHY, "its certificate was refused (%s)",
			 X509_verify_cert_error_string(error));
	}
}

/* An alert that the peer sent. RFC 8446 §6 */
static void tls_why_alert(char why[TLS_WHY], int alert)
{
	const char *text = SSL_alert_desc_string_long(alert);

	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_CERTIFICATE_REQUIRED:
		snprintf(why, TLS_WHY, "it refused our certificate (%s)", text);
		break;
	default:
		snprintf(why, TLS_WHY, "it ended TLS (%s)", text);
	}
}

void tls_why(char why[TLS_WHY], const struct tls_peer *peer, bool handshake,
	     bool end_of_stream)
{
	unsigned long e = ERR_peek_last_error();
	int reason = e && ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;

	ERR_clear_error();
	if (*peer->why)
		snprintf(why, TLS_WHY, "%s", peer->why);
	else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
		tls_why_alert(why, reason - SSL_AD_REASON_OFFSET);
	else if (end_of_stream)
		snprintf(why, TLS_WHY, "it closed the connection%s",
			 handshake ? " during the TLS handshake" : "");
	else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
		 reason == SSL_R_UNKNOWN_PROTOCOL)
		snprintf(why, TLS_WHY, "it does not speak TLS there");
	else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW)
		snprintf(why, TLS_WHY, "it offers no TLS version from 1.2 on");
	else
		snprintf(why, TLS_WHY, "TLS %s (%s)",
			 handshake ? "could not be agreed" : "broke",
			 e ? ERR_reason_error_string(e) ? ERR_reason_error_string(e)
							: "unknown"
			   : "unknown");
}
