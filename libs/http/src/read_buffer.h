// Where a connection's bytes land before they are parsed, and the small stock of such buffers an io thread keeps.
//
// A connection holds a buffer only while bytes of a request are expected or lie in it: thousands of idle connections hold none.
// The size decides the server's speed (one read takes a whole 10 KB request); only so many are out at once that a crowd of
// connections, each with one byte sent, costs little: the others begin small and grow.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::http {

class ReadBuffer {
public:
    ReadBuffer() = default;
    explicit ReadBuffer(std::size_t capacity) : bytes_(new char[capacity]), capacity_(capacity) {}

    [[nodiscard]] bool allocated() const { return capacity_ != 0; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::string_view bytes() const { return {bytes_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }
    // Room behind the bytes; moves them to the front when that is what makes room. Empty only if the buffer is full.
    [[nodiscard]] std::span<char> space() {
        if (end_ == capacity_ && begin_ > 0) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        return {bytes_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t count) { end_ += count; }
    void grow(std::size_t capacity) {
        ReadBuffer larger(capacity);
        std::memcpy(larger.bytes_.get(), bytes_.get() + begin_, end_ - begin_);
        larger.end_ = end_ - begin_;
        *this = std::move(larger);
    }
    ReadBuffer(ReadBuffer&& other) noexcept
        : bytes_(std::move(other.bytes_)),
          capacity_(std::exchange(other.capacity_, 0)),
          begin_(std::exchange(other.begin_, 0)),
          end_(std::exchange(other.end_, 0)) {}
    ReadBuffer& operator=(ReadBuffer&& other) noexcept {
        bytes_ = std::move(other.bytes_);
        capacity_ = std::exchange(other.capacity_, 0);
        begin_ = std::exchange(other.begin_, 0);
        end_ = std::exchange(other.end_, 0);
        return *this;
    }
    ReadBuffer(const ReadBuffer&) = delete;
    ReadBuffer& operator=(const ReadBuffer&) = delete;
    ~ReadBuffer() = default;

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

class BufferStock {
public:
    explicit BufferStock(std::size_t full_size) : full_size_(full_size) {}

    [[nodiscard]] std::size_t full_size() const { return full_size_; }
    [[nodiscard]] ReadBuffer take() {
        if (!free_.empty()) {
            auto buffer = std::move(free_.back());
            free_.pop_back();
            ++out_;
            return buffer;
        }
        if (out_ < kFullMax) {
            ++out_;
            return ReadBuffer(full_size_);
        }
        return ReadBuffer(kSmall);
    }
    void give(ReadBuffer buffer) {
        buffer.consume(buffer.bytes().size());
        if (buffer.capacity() == full_size_ && out_ > 0) {
            --out_;
            if (free_.size() < kFreeMax) {
                free_.push_back(std::move(buffer));
            }
        }
    }

private:
    static constexpr std::size_t kSmall = std::size_t{4} << 10U;
    static constexpr std::size_t kFullMax = 256;
    static constexpr std::size_t kFreeMax = 32;
    std::size_t full_size_;
    std::size_t out_ = 0;
    std::vector<ReadBuffer> free_;
};

}  // namespace syncline::http
