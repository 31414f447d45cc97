// A service binary run as a child: its log lines, its exit code, its admin port. Ends with the object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

class Child {
public:
    // Its stdout and stderr go to files in `folder`. `environment` is all it gets besides PATH.
    Child(const std::string& folder, std::vector<std::string> arguments,
          const std::map<std::string, std::string>& environment = {});
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    void signal(int number) const;
    // The exit code (128 + signal when killed); nothing if it still runs after that time.
    std::optional<int> wait(std::chrono::milliseconds within = std::chrono::seconds{20});
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;
    // The first log line with that event, once there is one.
    std::optional<std::string> line_with(const std::string& event,
                                         std::chrono::milliseconds within = std::chrono::seconds{20}) const;
    // "http://127.0.0.1:41234" of the admin_listening line; empty if it never came.
    std::string admin_url() const;
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::string out_file_;
    std::string err_file_;
    pid_t pid_ = -1;
    std::optional<int> code_;
};

// A text member of a one-line JSON object; empty if it has none.
std::string member_of(const std::string& line, const std::string& name);

struct Answer {
    int status = 0;  // 0: no answer.
    std::string body;
};
Answer get(const std::string& url, const std::string& token = {});
