// The admin port of a service: probes, metrics, version, and /admin/* for those who have a token. Internal to the runtime.
//
//   GET /livez /readyz /startupz      200 "ok" or 503 with the names of failed checks; ?verbose lists every check. /readyz also
//                                     names a target that is away, but stays 200: another instance would not reach it either
//   GET /metrics                      Prometheus text
//   GET /version                      {"service": …, "version": …}
//   ANY /admin/…                      the router's, with Authorization: Bearer <token>
//
// Probes and metrics are answered on the door's own io thread and never block; admin routes run on at most two worker threads,
// made when first needed, so that a slow database holds up no probe.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/server.h>
#include <syncline/kit/admin.h>
#include <syncline/kit/secret_file.h>
#include <syncline/telemetry/metrics.h>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace syncline::kit {

struct Check {
    std::string name;
    core::Result<void> result;
    bool advisory = false;  // Told when it fails, without making the probe fail.
};

struct AdminDoorOptions {
    std::string listen;
    SecretFile token_file;
    std::string version_json;
    // Called on the io thread, must not block.
    std::function<std::vector<Check>()> live;
    std::function<std::vector<Check>()> ready;
    std::function<std::vector<Check>()> started;
};

class AdminDoor {
public:
    // `router` and `metrics` outlive the door.
    AdminDoor(AdminDoorOptions options, const AdminRouter& router, const telemetry::Metrics& metrics);
    AdminDoor(const AdminDoor&) = delete;
    AdminDoor& operator=(const AdminDoor&) = delete;
    ~AdminDoor();

    // Errors as http::Server::start.
    core::Result<void> open();
    [[nodiscard]] std::string url() const { return server_->url(); }
    void close(const core::Deadline& deadline);

private:
    struct Job {
        AdminRequest request;
        http::Responder responder;
    };

    void serve(http::IncomingRequest&& request, http::Responder responder);
    void serve_admin(http::IncomingRequest&& request, http::Responder responder);
    [[nodiscard]] std::string actor_of(std::string_view authorization) const;
    void work();

    const AdminDoorOptions options_;
    const AdminRouter& router_;
    const telemetry::Metrics& metrics_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    std::size_t idle_ = 0;
    bool closing_ = false;
    std::vector<std::thread> workers_;
    std::unique_ptr<http::Server> server_;
};

// The reply of a probe; a pure function of its checks.
[[nodiscard]] http::Reply probe_reply(const std::vector<Check>& checks, bool verbose);

// The name that goes with a token in a text of name:token lines; empty if none does. Compares in constant time.
[[nodiscard]] std::string actor_with_token(std::string_view lines, std::string_view token);

}  // namespace syncline::kit
