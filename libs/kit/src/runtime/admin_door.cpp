#include "src/runtime/admin_door.h"

#include <fmt/format.h>
#include <syncline/core/hash.h>
#include <syncline/http/problem.h>
#include <syncline/telemetry/log.h>

#include <algorithm>

namespace syncline::kit {
namespace {

constexpr std::size_t kWorkersMax = 2;
constexpr std::size_t kJobsMax = 64;
constexpr std::size_t kTokenBytesMin = 16;

http::Reply to_reply(AdminReply reply) {
    return {.status = reply.status, .body = std::move(reply.body), .content_type = std::move(reply.content_type)};
}

}  // namespace

http::Reply probe_reply(const std::vector<Check>& checks, bool verbose) {
    const bool ok = std::ranges::all_of(checks, [](const Check& check) { return check.result || check.advisory; });
    std::string body;
    for (const auto& check : checks) {
        if (verbose) {
            body += check.result ? fmt::format("[+] {} ok\n", check.name)
                                 : fmt::format("[{}] {} failed: {}: {}\n", check.advisory ? '!' : '-', check.name,
                                               check.result.error().code, check.result.error().message);
        } else if (!check.result) {
            body += fmt::format("{} {}\n", check.name, check.result.error().code);
        }
    }
    if (ok) {
        body += "ok\n";
    }
    return {.status = ok ? 200 : 503, .body = std::move(body)};
}

std::string actor_with_token(std::string_view lines, std::string_view token) {
    std::string actor;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        auto line = lines.substr(0, end);
        lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || line.front() == '#') {
            continue;
        }
        const auto expected = line.substr(colon + 1);
        // Digests are compared, so that neither content nor length of a token shows in the time taken; every line is looked at.
        const auto equal = core::constant_time_equal(core::bytes_of(core::sha256(expected)), core::bytes_of(core::sha256(token)));
        if (equal && expected.size() >= kTokenBytesMin && actor.empty()) {
            actor = line.substr(0, colon);
        }
    }
    return actor;
}

AdminDoor::AdminDoor(AdminDoorOptions options, const AdminRouter& router, const telemetry::Metrics& metrics)
    : options_(std::move(options)), router_(router), metrics_(metrics) {}

AdminDoor::~AdminDoor() {
    close(core::Deadline(core::system_clock(), std::chrono::nanoseconds{0}));
}

core::Result<void> AdminDoor::open() {
    auto server = http::Server::start(
        {.listen = options_.listen,
         .name = "admin",
         .body_bytes_max = std::size_t{1} << 20U,
         .connections_max = 256,
         .requests_in_flight_max = 128,
         .bytes_in_flight_max = std::size_t{16} << 20U},
        [this](http::IncomingRequest&& request, http::Responder responder) { serve(std::move(request), std::move(responder)); });
    if (!server) {
        return std::unexpected(std::move(server.error()));
    }
    server_ = std::move(*server);
    return {};
}

void AdminDoor::close(const core::Deadline& deadline) {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) {
        worker.join();
    }
    workers_.clear();
    if (server_) {
        server_->stop(deadline);
    }
}

void AdminDoor::serve(http::IncomingRequest&& request, http::Responder responder) {
    const auto path = request.path();
    if (path.starts_with("/admin/")) {
        return serve_admin(std::move(request), std::move(responder));
    }
    const bool known = path == "/livez" || path == "/readyz" || path == "/startupz" || path == "/metrics" || path == "/version";
    if (!known) {
        return responder.answer(http::not_found());
    }
    if (request.method() != "GET" && request.method() != "HEAD") {
        return responder.answer(http::method_not_allowed("GET, HEAD"));
    }
    if (path == "/metrics") {
        return responder.answer(
            {.status = 200, .body = metrics_.to_text(), .content_type = std::string(telemetry::Metrics::kContentType)});
    }
    if (path == "/version") {
        return responder.answer({.status = 200, .body = options_.version_json, .content_type = "application/json"});
    }
    const auto& checks = path == "/livez" ? options_.live : path == "/readyz" ? options_.ready : options_.started;
    responder.answer(probe_reply(checks(), parsed_query(request.query()).contains("verbose")));
}

std::string AdminDoor::actor_of(std::string_view authorization) const {
    constexpr std::string_view kScheme = "Bearer ";
    if (!authorization.starts_with(kScheme)) {
        return {};
    }
    const auto token = authorization.substr(kScheme.size());
    auto actor = actor_with_token(options_.token_file.current(), token);
    // The token may be one that was just rotated in.
    if (actor.empty() && options_.token_file.refresh()) {
        actor = actor_with_token(options_.token_file.current(), token);
    }
    return actor;
}

void AdminDoor::serve_admin(http::IncomingRequest&& request, http::Responder responder) {
    if (!options_.token_file.configured()) {
        return responder.answer(http::to_reply({.status = 403,
                                                .code = "admin_closed",
                                                .title = "Admin routes are closed",
                                                .detail = "set admin.token_file to a file of name:token lines"}));
    }
    auto actor = actor_of(request.get("authorization"));
    if (actor.empty()) {
        auto reply = http::unauthorized("bad_token", "send Authorization: Bearer <token> with a token of admin.token_file");
        reply.headers.add("WWW-Authenticate", "Bearer");
        return responder.answer(std::move(reply));
    }
    AdminRequest admin{.method = std::string(request.method()),
                       .path = std::string(request.path()),
                       .query = parsed_query(request.query()),
                       .body = std::move(request.body),
                       .actor = std::move(actor)};
    std::unique_lock lock(mutex_);
    if (closing_ || jobs_.size() >= kJobsMax) {
        lock.unlock();
        return responder.answer(http::unavailable("admin_busy", "too many admin requests at once", std::chrono::seconds{1}));
    }
    jobs_.push_back({.request = std::move(admin), .responder = std::move(responder)});
    if (idle_ < jobs_.size() && workers_.size() < kWorkersMax) {
        workers_.emplace_back([this] { work(); });
    }
    lock.unlock();
    wake_.notify_one();
}

void AdminDoor::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
        --idle_;
        if (jobs_.empty()) {
            return;
        }
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        if (job.request.method != "GET") {
            telemetry::log::info("admin_action",
                                 {{"actor", job.request.actor}, {"method", job.request.method}, {"path", job.request.path}});
        }
        job.responder.answer(to_reply(router_.dispatch(std::move(job.request))));
        lock.lock();
    }
}

}  // namespace syncline::kit
