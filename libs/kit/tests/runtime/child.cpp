#include "tests/runtime/child.h"

#include <fcntl.h>
#include <signal.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/runtime/eventually.h"

namespace {

std::string text_of(const std::string& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

Child::Child(const std::string& folder, std::vector<std::string> arguments, const std::map<std::string, std::string>& environment)
    : out_file_(folder + "/stdout"), err_file_(folder + "/stderr") {
    arguments.insert(arguments.begin(), KIT_TEST_SERVICE);
    std::vector<char*> argv;
    for (auto& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    std::vector<std::string> variables{"PATH=/usr/bin:/bin"};
    for (const auto& [name, value] : environment) {
        variables.push_back(name + "=" + value);
    }
    for (const char* sanitizer : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
        if (const char* value = std::getenv(sanitizer)) {
            variables.push_back(std::string(sanitizer) + "=" + value);
        }
    }
    std::vector<char*> envp;
    for (auto& variable : variables) {
        envp.push_back(variable.data());
    }
    envp.push_back(nullptr);
    const int out = ::open(out_file_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    const int err = ::open(err_file_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(out, 1);
        ::dup2(err, 2);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(out);
    ::close(err);
    if (pid_ < 0) {
        throw std::runtime_error("fork failed");
    }
}

Child::~Child() {
    if (!code_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Child::signal(int number) const {
    ::kill(pid_, number);
}

std::optional<int> Child::wait(std::chrono::milliseconds within) {
    const auto ended = [this] {
        int status = 0;
        if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
            code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return code_.has_value();
    };
    static_cast<void>(eventually(ended, within));
    return code_;
}

std::string Child::out() const {
    return text_of(out_file_);
}
std::string Child::err() const {
    return text_of(err_file_);
}

std::optional<std::string> Child::line_with(const std::string& event, std::chrono::milliseconds within) const {
    std::optional<std::string> found;
    static_cast<void>(eventually(
        [&] {
            std::istringstream lines(out());
            for (std::string line; std::getline(lines, line);) {
                if (line.find("\"event\":\"" + event + "\"") != std::string::npos && line.ends_with('}')) {
                    found = line;
                    return true;
                }
            }
            return false;
        },
        within));
    return found;
}

std::string Child::admin_url() const {
    const auto line = line_with("admin_listening");
    return line ? member_of(*line, "url") : std::string();
}

std::string member_of(const std::string& line, const std::string& name) {
    const auto document = syncline::json::Document::parse(line);
    if (!document) {
        return {};
    }
    const auto value = document->root().get(name);
    return value && value->is_string() ? std::string(*value->string()) : std::string();
}

Answer get(const std::string& url, const std::string& token) {
    const auto client = syncline::http::make_client();
    syncline::http::Request request{.url = url};
    if (!token.empty()) {
        request.headers.add("authorization", "Bearer " + token);
    }
    const auto reply = client->send(request, syncline::core::Deadline(syncline::core::system_clock(), std::chrono::seconds{5}));
    return reply ? Answer{.status = reply->status, .body = reply->body} : Answer{};
}
