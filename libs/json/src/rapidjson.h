// RapidJSON as this library includes it: its assertions are ours, in every build (by default NDEBUG turns them into undefined
// behaviour). Only for sources of libs/json.
#pragma once

#include "syncline/core/assert.h"

#define RAPIDJSON_ASSERT(condition) SYNCLINE_ASSERT(condition)
#define RAPIDJSON_HAS_STDSTRING 0

// Texts are looked through sixteen bytes at a time. The aligned loads may touch bytes behind the text, of
// the same page; AddressSanitizer would object, so its builds go byte by byte.
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if !__has_feature(address_sanitizer)
#define RAPIDJSON_SSE2
#endif
#else
#define RAPIDJSON_SSE2
#endif
#endif
