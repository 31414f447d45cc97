#include "src/budget.h"

namespace syncline::http {

Budget::Tag* Budget::hold(std::string_view name) {
    if (name.empty()) {
        return nullptr;
    }
    const std::lock_guard lock(mutex_);
    auto found = tags_.find(name);
    if (found == tags_.end()) {
        found = tags_.emplace(name, Tag{}).first;
    }
    ++found->second.holders;
    return &found->second;
}

void Budget::release(std::string_view name, Tag* tag) {
    if (tag == nullptr) {
        return;
    }
    const std::lock_guard lock(mutex_);
    if (--tag->holders == 0) {
        tags_.erase(tags_.find(name));
    }
}

Budget::Verdict Budget::take_bytes(Tag* tag, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes > limits_.bytes_max) {
        return Verdict::total_reached;
    }
    if (tag != nullptr) {
        if (tag->bytes + bytes > limits_.tag_bytes_max) {
            return Verdict::tag_reached;
        }
        tag->bytes += bytes;
    }
    bytes_ += bytes;
    return Verdict::granted;
}

void Budget::give_bytes(Tag* tag, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ -= bytes;
    if (tag != nullptr) {
        tag->bytes -= bytes;
    }
}

Budget::Verdict Budget::request_verdict(const Tag* tag) const {
    if (requests_ >= limits_.requests_max) {
        return Verdict::total_reached;
    }
    if (tag != nullptr && tag->requests >= limits_.tag_requests_max) {
        return Verdict::tag_reached;
    }
    return Verdict::granted;
}

Budget::Verdict Budget::take_request(Tag* tag) {
    const std::lock_guard lock(mutex_);
    const auto verdict = request_verdict(tag);
    if (verdict == Verdict::granted) {
        ++requests_;
        if (tag != nullptr) {
            ++tag->requests;
        }
    }
    return verdict;
}

void Budget::give_request(Tag* tag) {
    const std::lock_guard lock(mutex_);
    --requests_;
    if (tag != nullptr) {
        --tag->requests;
    }
}

Budget::Verdict Budget::room_for_request(const Tag* tag) const {
    const std::lock_guard lock(mutex_);
    return request_verdict(tag);
}

std::size_t Budget::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t Budget::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace syncline::http
