// Against a real sshd that the test starts on a free port of this machine.
#include "adapters/sources/sftp_fetch.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSshd = "/usr/sbin/sshd";

int run(std::vector<std::string> arguments, bool wait = true, pid_t* child = nullptr) {
    std::vector<char*> raw;
    for (auto& argument : arguments) {
        raw.push_back(argument.data());
    }
    raw.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int descriptor : {0, 1, 2}) {
        posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0);
    }
    pid_t pid = 0;
    const auto failed = posix_spawn(&pid, raw[0], &files, nullptr, raw.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) {
        return -1;
    }
    if (child != nullptr) {
        *child = pid;
    }
    int status = 0;
    if (wait && ::waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return status;
}

int free_port() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(listener);
    return ntohs(address.sin_port);
}

std::string fingerprint(const fs::path& key) {
    const std::string command = "/usr/bin/ssh-keygen -lf '" + key.string() + ".pub'";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::array<char, 512> line{};
    REQUIRE(std::fgets(line.data(), line.size(), pipe.get()) != nullptr);
    const std::string text(line.data());
    const auto at = text.find("SHA256:");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 7, 43);
}

struct Server {
    fs::path home = fs::temp_directory_path() / ("sftp-test-" + core::uuid_v4());
    fs::path there = home / "out put";  // A space belongs to the test.
    fs::path here = home / "in";
    int port = free_port();
    pid_t process = 0;
    SftpRule rule;

    static bool available() { return fs::exists(kSshd) && fs::exists("/usr/bin/ssh-keygen"); }

    Server() {
        fs::create_directories(there);
        fs::create_directories(here);
        for (const auto* key : {"host", "other", "user", "stranger"}) {
            REQUIRE(run({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (home / key).string()}) == 0);
        }
        fs::copy_file(home / "user.pub", home / "authorized");
        if (::geteuid() == 0) {
            fs::create_directories("/run/sshd");
        }
        std::ofstream(home / "config") << "ListenAddress 127.0.0.1\nPort " << port << "\nHostKey " << (home / "host").string()
                                       << "\nAuthorizedKeysFile " << (home / "authorized").string() << "\nPidFile none\n"
                                       << "StrictModes no\nUsePAM no\nPasswordAuthentication yes\nPermitRootLogin yes\n"
                                       << "Subsystem sftp internal-sftp\n";
        start();
        const auto* account = ::getpwuid(::geteuid());
        REQUIRE(account != nullptr);
        rule = {.host = "127.0.0.1",
                .port = port,
                .user = account->pw_name,
                .path = there.string(),
                .host_key = fingerprint(home / "host"),
                .key_file = (home / "user").string(),
                .password_file = {},
                .every = std::chrono::milliseconds{0}};
    }
    ~Server() {
        stop();
        fs::remove_all(home);
    }
    void start() {
        REQUIRE(run({kSshd, "-D", "-f", (home / "config").string()}, false, &process) == 0);
        for (int tries = 0; tries < 500; ++tries) {
            const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(static_cast<std::uint16_t>(port));
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            const bool up = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
            ::close(probe);
            if (up) {
                return;
            }
            ::usleep(10'000);
        }
        FAIL("sshd does not come up");
    }
    void stop() {
        if (process != 0) {
            ::kill(process, SIGTERM);
            ::waitpid(process, nullptr, 0);
            process = 0;
        }
    }
    void put(const std::string& name, const std::string& text) { std::ofstream(there / name, std::ios::binary) << text; }
    [[nodiscard]] std::string got(const std::string& name) const {
        std::ifstream in(here / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

}  // namespace

TEST_CASE("sftp: complete files come once, with their time, and again when they were written anew",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    if (!Server::available()) {
        SKIP("openssh-server is not installed (tools/setup/system.sh installs it)");
    }
    Rig rig;
    Server server;
    SftpFetch sftp(rig.database.pool(), rig.clock);
    FolderRule rule{.folder = server.here.string(), .file = {.fixed_location = "MAIN"}, .sftp = server.rule};
    const auto fetch = [&] {
        const auto done = sftp.fetch("wms", rule, [] { return true; });
        if (!done) {
            FAIL(done.error().code << " " << done.error().message);
        }
        return *done;
    };
    server.put("ä stock #1.csv", "sku;quantity\nA;1\n");
    server.put("other.txt", "no");
    server.put(".hidden.csv", "no");
    fs::create_directories(server.there / "folder.csv");
    server.put("folder.csv.done", {});
    CHECK(fetch() == 0);
    server.put("ä stock #1.csv.done", {});
    const auto made = fs::file_time_type::clock::now() - std::chrono::hours{3};
    fs::last_write_time(server.there / "ä stock #1.csv", made);
    CHECK(fetch() == 1);
    CHECK(server.got("ä stock #1.csv") == "sku;quantity\nA;1\n");
    CHECK(fs::exists(server.here / "ä stock #1.csv.done"));
    CHECK(std::chrono::abs(fs::last_write_time(server.here / "ä stock #1.csv") - made) < std::chrono::seconds{1});
    CHECK(fetch() == 0);
    // The next night's file has the old name.
    server.put("ä stock #1.csv", "sku;quantity\nA;1\nB;2\n");
    CHECK(fetch() == 1);
    CHECK(server.got("ä stock #1.csv") == "sku;quantity\nA;1\nB;2\n");
    rule.by_rename = true;
    server.put("big.csv", std::string(5UL * 1024 * 1024, 'x'));
    CHECK(fetch() == 1);
    CHECK(server.got("big.csv").size() == 5UL * 1024 * 1024);
    rule.sftp->delete_after = true;
    CHECK(fetch() == 0);
    CHECK(!fs::exists(server.there / "big.csv"));
    CHECK(fs::exists(server.there / "folder.csv"));
    CHECK(rig.database.value("SELECT count(*) FROM fetched_files") == "2");
    CHECK(fetch() == 0);
    CHECK(rig.database.value("SELECT count(*) FROM fetched_files") == "0");
    for (const auto& entry : fs::directory_iterator(server.here)) {
        CHECK(entry.path().extension() != ".part");
    }
}

TEST_CASE(
    "sftp: another host key, a wrong key or password, an absent server and a file too large are refused, nothing stays behind",
    "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    if (!Server::available()) {
        SKIP("openssh-server is not installed (tools/setup/system.sh installs it)");
    }
    Rig rig;
    Server server;
    SftpFetch sftp(rig.database.pool(), rig.clock);
    FolderRule rule{.folder = server.here.string(), .by_rename = true, .file = {.fixed_location = "MAIN"}, .sftp = server.rule};
    server.put("a.csv", std::string(100'000, 'x'));
    const auto refused = [&] {
        const auto done = sftp.fetch("wms", rule, [] { return true; });
        REQUIRE(!done);
        return done.error().code;
    };
    rule.sftp->host_key = fingerprint(server.home / "other");
    CHECK(refused() == "host_key_differs");
    rule.sftp = server.rule;
    rule.sftp->key_file = (server.home / "stranger").string();
    CHECK(refused() == "sftp_refused");
    rule.sftp->key_file = (server.home / "nowhere").string();
    CHECK(refused() == "secret_unreadable");
    rule.sftp->key_file.clear();
    rule.sftp->password_file = (server.home / "password").string();
    std::ofstream(rule.sftp->password_file) << "not the password\n";
    CHECK(refused() == "sftp_refused");
    rule.sftp = server.rule;
    rule.sftp->bytes_max = 99'999;
    CHECK(refused() == "file_too_large");
    rule.sftp = server.rule;
    rule.sftp->path = "/nowhere";
    CHECK(refused() == "sftp_unavailable");
    rule.sftp = server.rule;
    // The lease went to another instance.
    CHECK(*sftp.fetch("wms", rule, [] { return false; }) == 0);
    server.stop();
    CHECK(refused() == "sftp_unavailable");
    CHECK(fs::is_empty(server.here));
    CHECK(rig.database.value("SELECT count(*) FROM fetched_files") == "0");
    server.start();
    CHECK(*sftp.fetch("wms", rule, [] { return true; }) == 1);
}
