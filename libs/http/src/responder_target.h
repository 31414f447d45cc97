// What a Responder answers to: a connection of the server, or a test's capture.
#pragma once

#include <syncline/http/server.h>

namespace syncline::http {

// Exactly one of the three is called, once for each request, from any thread; none blocks or throws.
class Responder::Target {
public:
    virtual ~Target() = default;
    virtual void answer(Reply reply) = 0;
    virtual void abandon() = 0;
    virtual void unanswered() = 0;
};

}  // namespace syncline::http
