// A service's admin port that says what the test wrote, and a run of synclinectl against it.
#pragma once

#include "command_line.h"

#include <syncline/http/testing/stub_server.h>
#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace synclinectl::testing {

struct Answer {
    int status = 200;
    std::string body;
};

// Answers by "METHOD path" (without query); 404 for everything else.
class FakeService {
public:
    explicit FakeService(std::map<std::string, Answer> answers)
        : stub_([answers =
                     std::move(answers)](const syncline::http::IncomingRequest& request) -> syncline::http::testing::StubAnswer {
              const auto found = answers.find(std::string(request.method()) + " " + std::string(request.path()));
              if (found == answers.end()) {
                  return {.reply = {.status = 404,
                                    .body = R"({"code":"no_such_route","detail":"no admin route has this path"})",
                                    .content_type = "application/problem+json"}};
              }
              return {.reply = {.status = found->second.status, .body = found->second.body, .content_type = "application/json"}};
          }) {}

    [[nodiscard]] const std::string& url() const { return stub_.url(); }
    [[nodiscard]] std::vector<syncline::http::testing::SeenRequest> requests() const { return stub_.requests(); }
    void shut() { stub_.shut(); }

private:
    syncline::http::testing::StubServer stub_;
};

struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

// A folder with targets.yaml and the token, removed at the end.
class Desk {
public:
    struct Entry {
        std::string name;
        std::string connection;
        std::string url;
    };

    explicit Desk(const std::vector<Entry>& services, const std::string& brokers = {}) {
        static std::atomic<int> number = 0;
        folder_ = std::filesystem::temp_directory_path() /
                  ("synclinectl-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
        std::filesystem::create_directories(folder_);
        std::ofstream(folder_ / "token") << "# who may\nlocal:0123456789abcdef-token\n";
        std::ofstream yaml(folder_ / "targets.yaml");
        yaml << "token_file: token\nkafka: {brokers: \"" << brokers << "\", prefix: syncline}\nservices:\n";
        for (const auto& service : services) {
            yaml << "  - {name: " << service.name << ", connection: \"" << service.connection << "\", admin: \"" << service.url
                 << "\"}\n";
        }
    }
    ~Desk() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    [[nodiscard]] Ran run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--targets", (folder_ / "targets.yaml").string(), "--timeout", "5"});
        std::ostringstream out;
        std::ostringstream err;
        const auto code = synclinectl::run(arguments, out, err);
        return {code, out.str(), err.str()};
    }

private:
    std::filesystem::path folder_;
};

}  // namespace synclinectl::testing
