// A shop on loopback: Shopify's bodies from the test's script, real HTTP, shops.yaml as a service has it.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>
#include <syncline/http/client.h>
#include <syncline/http/testing/stub_server.h>
#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>
#include <syncline/telemetry/metrics.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace syncline::shopify::testing {

using namespace std::chrono_literals;

inline bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "syncline-shopify-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name + ".new")) << text;
        std::filesystem::rename(path(name + ".new"), path(name));
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path(name));
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

private:
    std::string path_;
};

inline http::testing::StubAnswer json_answer(std::string body, int status = 200, http::Headers headers = {}) {
    return {
        .reply = {.status = status, .body = std::move(body), .content_type = "application/json", .headers = std::move(headers)}};
}

// A whole answer around `data`, with the cost Shopify states.
inline http::testing::StubAnswer data_answer(const std::string& data, double available = 1900, double requested = 10) {
    return json_answer(fmt::format(
        R"({{"data":{},"extensions":{{"cost":{{"requestedQueryCost":{},"actualQueryCost":{},"throttleStatus":{{"maximumAvailable":2000.0,"currentlyAvailable":{},"restoreRate":100.0}}}}}}}})",
        data, requested, requested, available));
}

inline http::testing::StubAnswer throttled_answer(double requested, double available) {
    return json_answer(fmt::format(
        R"({{"errors":[{{"message":"Throttled","extensions":{{"code":"THROTTLED"}}}}],"extensions":{{"cost":{{"requestedQueryCost":{},"actualQueryCost":null,"throttleStatus":{{"maximumAvailable":2000.0,"currentlyAvailable":{},"restoreRate":100.0}}}}}}}})",
        requested, available));
}

// Whether a request runs that operation.
inline bool runs(const http::IncomingRequest& request, std::string_view operation) {
    return request.body.find(fmt::format(R"("operationName":"{}")", operation)) != std::string_view::npos;
}

struct Rig {
    explicit Rig(http::testing::StubScript script, core::Clock& time = core::system_clock(),
                 const std::string& grant = "token_file: token")
        : stub(std::move(script)), clock(time), deadline(time, 20s) {
        folder.write("token", "shpat_1\n");
        folder.write("secret", "client-secret\n");
        load(grant);
    }

    void load(const std::string& grant) {
        const auto loaded =
            shops.load(fmt::format("apps: {{main: {{secret_files: [secret]}}}}\n"
                                   "shops:\n"
                                   "  eu: {{domain: acme-eu.myshopify.com, app: main, currency: EUR, timezone: UTC,\n"
                                   "       admin: {{url: '{}', {}}}}}\n"
                                   "  bare: {{domain: bare.myshopify.com, app: main, currency: EUR, timezone: UTC}}\n",
                                   stub.url(), grant),
                       folder.path("."), clock.now());
        if (!loaded) {
            throw std::runtime_error(loaded.error().message);
        }
    }
    // Throws when the shop is not there.
    Admin& admin() {
        if (!held) {
            held = admins.of("eu").value();
        }
        return *held;
    }

    http::testing::StubServer stub;
    core::Clock& clock;
    core::Deadline deadline;
    Folder folder;
    std::unique_ptr<http::Client> client = http::make_client();
    telemetry::Metrics metrics{"shopify-test"};
    kit::Shops shops;
    Admins admins{{.http = *client, .clock = clock, .metrics = metrics}, shops};
    std::shared_ptr<Admin> held;
};

}  // namespace syncline::shopify::testing
