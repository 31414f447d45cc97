// The two ends of a cpprestsdk request that the port must control: the body on its way out and the body on its way in.
//
// Both are shared with cpprestsdk's threads and may be called after send() has returned; neither then does anything.
#pragma once

#include <cpprest/astreambuf.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

namespace syncline::http {

// What is known about the request's body: decides between "nothing happened" and "unknown".
enum class Sent : std::uint8_t { no, yes, never };

// Common part: a buffer that offers neither seeking, peeking nor direct access.
class PlainStreamBuffer : public Concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
public:
    using State = Concurrency::streams::details::streambuf_state_manager<std::uint8_t>;
    using typename State::int_type;
    using typename State::off_type;
    using typename State::pos_type;
    using typename State::traits;

    explicit PlainStreamBuffer(std::ios_base::openmode mode) : State(mode) {}

    // Not seekable: cpprestsdk sends a request a second time by itself when it can rewind the body.
    [[nodiscard]] bool can_seek() const override { return false; }
    [[nodiscard]] bool has_size() const override { return false; }
    [[nodiscard]] std::size_t buffer_size(std::ios_base::openmode /*direction*/) const override { return 0; }
    void set_buffer_size(std::size_t /*size*/, std::ios_base::openmode /*direction*/) override {}
    [[nodiscard]] std::size_t in_avail() const override { return 0; }
    [[nodiscard]] pos_type getpos(std::ios_base::openmode /*direction*/) const override { return failed_position(); }
    pos_type seekpos(pos_type /*position*/, std::ios_base::openmode /*direction*/) override { return failed_position(); }
    pos_type seekoff(off_type /*offset*/, std::ios_base::seekdir /*way*/, std::ios_base::openmode /*mode*/) override {
        return failed_position();
    }
    bool acquire(std::uint8_t*& pointer, std::size_t& count) override {
        pointer = nullptr;
        count = 0;
        return false;
    }
    void release(std::uint8_t* /*pointer*/, std::size_t /*count*/) override {}

protected:
    pplx::task<int_type> _putc(std::uint8_t /*byte*/) override { return pplx::task_from_result<int_type>(traits::eof()); }
    using State::_putn;
    pplx::task<std::size_t> _putn(const std::uint8_t* /*bytes*/, std::size_t /*count*/) override {
        return pplx::task_from_result<std::size_t>(0);
    }
    pplx::task<int_type> _bumpc() override { return pplx::task_from_result<int_type>(traits::eof()); }
    int_type _sbumpc() override { return traits::eof(); }
    pplx::task<int_type> _getc() override { return pplx::task_from_result<int_type>(traits::eof()); }
    int_type _sgetc() override { return traits::eof(); }
    pplx::task<int_type> _nextc() override { return pplx::task_from_result<int_type>(traits::eof()); }
    pplx::task<int_type> _ungetc() override { return pplx::task_from_result<int_type>(traits::eof()); }
    pplx::task<std::size_t> _getn(std::uint8_t* /*into*/, std::size_t /*count*/) override {
        return pplx::task_from_result<std::size_t>(0);
    }
    std::size_t _scopy(std::uint8_t* /*into*/, std::size_t /*count*/) override { return 0; }
    pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
    std::uint8_t* _alloc(std::size_t /*count*/) override { return nullptr; }
    void _commit(std::size_t /*count*/) override {}

private:
    static pos_type failed_position() { return static_cast<pos_type>(traits::eof()); }
};

// The request's body, behind a gate: before its first byte leaves, the request can still be taken back for certain.
class GatedBody final : public PlainStreamBuffer {
public:
    // `on_open` is called once, when the head has left and the body is about to.
    GatedBody(std::string body, std::function<void()> on_open)
        : PlainStreamBuffer(std::ios_base::in), body_(std::move(body)), on_open_(std::move(on_open)) {}

    // True: no byte of the body has left and none will.
    [[nodiscard]] bool take_back() {
        auto expected = Sent::no;
        return sent_.compare_exchange_strong(expected, Sent::never) || expected == Sent::never;
    }

protected:
    pplx::task<std::size_t> _getn(std::uint8_t* into, std::size_t count) override {
        auto expected = Sent::no;
        if (sent_.compare_exchange_strong(expected, Sent::yes)) {
            on_open_();
        } else if (expected == Sent::never) {
            return pplx::task_from_result<std::size_t>(0);  // cpprestsdk gives the request up.
        }
        const auto part = std::min(count, body_.size() - at_);
        std::memcpy(into, body_.data() + at_, part);
        at_ += part;
        return pplx::task_from_result(part);
    }

private:
    const std::string body_;
    const std::function<void()> on_open_;
    std::atomic<Sent> sent_{Sent::no};
    std::size_t at_ = 0;
};

// The reply's body, up to a limit.
class BoundedBody final : public PlainStreamBuffer {
public:
    explicit BoundedBody(std::size_t bytes_max) : PlainStreamBuffer(std::ios_base::out), bytes_max_(bytes_max) {}

    [[nodiscard]] bool overflowed() const { return overflowed_.load(); }
    // Once the reply is complete; nobody writes any more.
    [[nodiscard]] std::string release() { return std::move(body_); }

protected:
    pplx::task<std::size_t> _putn(const std::uint8_t* bytes, std::size_t count) override {
        if (count > bytes_max_ - body_.size()) {
            overflowed_.store(true);
            return pplx::task_from_exception<std::size_t>(std::length_error("reply too large"));
        }
        body_.append(reinterpret_cast<const char*>(bytes), count);
        return pplx::task_from_result(count);
    }

private:
    const std::size_t bytes_max_;
    std::string body_;
    std::atomic<bool> overflowed_{false};
};

}  // namespace syncline::http
