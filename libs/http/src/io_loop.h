// One io thread of the server: its event loop, its connections by what they wait for, its timeouts and its evictions.
//
// Owned by the Door and by every connection (a Responder may outlive the server). All members belong to the loop's own thread
// unless their comment says otherwise.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/door_state.h"
#include "src/read_buffer.h"

namespace syncline::http {

class Connection;

// What a connection waits for. Each has its list, oldest first, and (but for `handling`) its time limit.
enum class Phase : std::uint8_t {
    handshake,
    fresh,      // Nothing came yet.
    idle,       // Between requests, read buffer still at hand.
    resting,    // Between requests for a while: no buffer.
    head,       // A request has begun.
    body,       // Its head is accepted.
    handling,   // With the handler.
    writing,    // The client takes its answer.
    lingering,  // Answered and closed for writing: lets the client read before the socket goes.
    count_,
};

class IoLoop final : public std::enable_shared_from_this<IoLoop> {
public:
    using List = std::list<std::shared_ptr<Connection>>;

    IoLoop(std::shared_ptr<DoorState> door, std::size_t connections_max);
    IoLoop(const IoLoop&) = delete;
    IoLoop& operator=(const IoLoop&) = delete;
    ~IoLoop();

    // Runs until end() was called and the last operation is over. The one thread that calls it is the loop's thread.
    void run();

    // Any thread.
    [[nodiscard]] boost::asio::io_context& io() { return io_; }
    [[nodiscard]] bool on_own_thread() const;
    // Hands an answer (nullopt: none, close) to its connection. After the loop has ended it is dropped.
    void deliver(std::shared_ptr<Connection> connection, std::optional<Reply> reply);

    // Takes an accepted socket; closes it if there is no room.
    void adopt(boost::asio::ip::tcp::socket socket);
    // Frees descriptors: closes up to `count` of the connections that wait.
    void evict_waiting(std::size_t count);
    // Closes what waits; what works goes on and closes after its answer.
    void drain();
    // Closes everything and lets run() return.
    void end();

    // For connections.
    [[nodiscard]] DoorState& door() { return *door_; }
    [[nodiscard]] BufferStock& buffers() { return buffers_; }
    [[nodiscard]] std::string_view date();
    void move(Connection& connection, Phase to);
    void forget(Connection& connection);
    // Ends the oldest upload of that tag (nullptr: of any) that is not `except` and has had its second; false if there is none.
    bool evict_upload(const Connection& except, const Budget::Tag* tag);

private:
    [[nodiscard]] List& list(Phase phase) { return lists_[static_cast<std::size_t>(phase)]; }
    [[nodiscard]] Connection* oldest(std::initializer_list<Phase> phases);
    [[nodiscard]] bool make_room();
    void schedule_sweep();
    void sweep();
    void take_answers();

    std::shared_ptr<DoorState> door_;
    std::size_t connections_max_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer timer_;
    std::chrono::milliseconds tick_;
    std::array<std::chrono::nanoseconds, static_cast<std::size_t>(Phase::count_)> limits_{};
    std::array<List, static_cast<std::size_t>(Phase::count_)> lists_;
    std::size_t open_ = 0;
    bool sweeping_ = false;
    bool ending_ = false;
    BufferStock buffers_;
    std::string date_;
    std::chrono::sys_seconds date_at_{};

    std::mutex answers_mutex_;
    std::vector<std::pair<std::shared_ptr<Connection>, std::optional<Reply>>> answers_;
    bool ended_ = false;
};

}  // namespace syncline::http
