// The same HTTP server as ingress, answering 200 without work: what remains when nothing is verified, parsed or published.
//
//   bench_bare_server [threads]     prints the port on the first line of stdout, ends at SIGTERM
#include <fmt/format.h>
#include <syncline/http/server.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace http = syncline::http;

int main(int argc, char** argv) {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    http::ServerOptions options{.listen = "127.0.0.1:0", .name = "bare"};
    options.threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const auto server = http::Server::start(
        std::move(options),
        [](http::IncomingRequest&& /*request*/, http::Responder responder) { responder.answer({.status = 200}); });
    if (!server) {
        fmt::print(stderr, "{}\n", server.error().message);
        return 2;
    }
    fmt::print("{}\n", (*server)->port());
    std::fflush(stdout);
    int received = 0;
    sigwait(&ending, &received);
    return 0;
}
