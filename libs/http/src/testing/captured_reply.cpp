#include <syncline/http/problem.h>
#include <syncline/http/testing/captured_reply.h>

#include <condition_variable>
#include <mutex>

#include "src/responder_target.h"

namespace syncline::http::testing {

class CapturedReply::Slot final : public Responder::Target {
public:
    void answer(Reply reply) override { settle(std::move(reply)); }
    void abandon() override { settle(std::nullopt); }
    void unanswered() override { settle(internal_error()); }

    [[nodiscard]] std::optional<Reply> wait(std::chrono::milliseconds timeout) {
        std::unique_lock lock(mutex_);
        settled_.wait_for(lock, timeout, [&] { return is_settled_; });
        return reply_;
    }

private:
    void settle(std::optional<Reply> reply) {
        {
            const std::lock_guard lock(mutex_);
            if (is_settled_) {
                return;
            }
            is_settled_ = true;
            reply_ = std::move(reply);
        }
        settled_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable settled_;
    bool is_settled_ = false;
    std::optional<Reply> reply_;
};

CapturedReply::CapturedReply() : slot_(std::make_shared<Slot>()) {}

Responder CapturedReply::responder() {
    return Responder(slot_);
}

std::optional<Reply> CapturedReply::wait(std::chrono::milliseconds timeout) const {
    return slot_->wait(timeout);
}

}  // namespace syncline::http::testing
