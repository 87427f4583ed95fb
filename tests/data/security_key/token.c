/* A FIDO2 key for ssh (sk-api.h): it waits for a touch, a line in the pipe that TOKEN_TOUCH names. The handle is the
   private key. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
typedef struct { uint8_t flags; uint8_t *public_key; size_t public_key_len; uint8_t *handle; size_t handle_len;
  uint8_t *signature; size_t signature_len; uint8_t *cert; size_t cert_len; uint8_t *authdata; size_t authdata_len; } enrolled;
typedef struct { uint8_t flags; uint32_t counter; uint8_t *r; size_t r_len; uint8_t *s; size_t s_len; } signed_;
/* of OpenSSL 3, whose headers are not everywhere */
unsigned char *SHA256(const void *, size_t, unsigned char *);
int RAND_bytes(unsigned char *, int);
void *EVP_PKEY_new_raw_private_key(int, void *, const void *, size_t);
int EVP_PKEY_get_raw_public_key(void *, unsigned char *, size_t *);
void *EVP_MD_CTX_new(void);
int EVP_DigestSignInit(void *, void *, void *, void *, void *);
int EVP_DigestSign(void *, unsigned char *, size_t *, const unsigned char *, size_t);

static void *key(const uint8_t *seed) { return EVP_PKEY_new_raw_private_key(1087, NULL, seed, 32); }
uint32_t sk_api_version(void) { return 0x000a0000; }
int sk_load_resident_keys(const char *pin, void *o, void *k, size_t *n) { return -1; }
int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t n, const char *application, uint8_t flags, const char *pin,
              void *options, enrolled **out) {
  enrolled *it = *out = calloc(1, sizeof *it);
  size_t size = 32;
  it->flags = flags;
  it->public_key = calloc(1, it->public_key_len = 32);
  it->handle = calloc(1, it->handle_len = 32);
  it->signature = calloc(1, it->signature_len = 1);
  RAND_bytes(it->handle, 32);
  return EVP_PKEY_get_raw_public_key(key(it->handle), it->public_key, &size) == 1 ? 0 : -1;
}
int sk_sign(uint32_t alg, const uint8_t *data, size_t n, const char *application, const uint8_t *handle, size_t handle_len,
            uint8_t flags, const char *pin, void *options, signed_ **out) {
  uint8_t text[69] = {0};
  char line[8];
  FILE *pipe = fopen(getenv("TOKEN_TOUCH"), "r");
  if (!pipe || !fgets(line, sizeof line, pipe)) return -1;
  SHA256(application, strlen(application), text);
  text[32] = flags;
  SHA256(data, n, text + 37);
  signed_ *it = *out = calloc(1, sizeof *it);
  void *context = EVP_MD_CTX_new();
  it->flags = flags;
  it->r = calloc(1, it->r_len = 64);
  EVP_DigestSignInit(context, NULL, NULL, NULL, key(handle));
  return EVP_DigestSign(context, it->r, &it->r_len, text, sizeof text) == 1 ? 0 : -1;
}
