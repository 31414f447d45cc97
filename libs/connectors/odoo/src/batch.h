// The flush side of the gateway: what happens to one batch. Runs on a flusher's thread; see gateway.h for the rules.
#pragma once

#include <syncline/core/clock.h>
#include <functional>
#include <optional>
#include <span>
#include <variant>

#include "syncline/odoo/gateway.h"

namespace syncline::odoo {

struct Work {
    std::variant<LoadRequest, ActRequest, WriteRequest, ReadRequest, FindRequest> request;
    std::optional<core::SteadyTime> lease_until;  // Of changes.
    std::optional<core::Deadline> deadline;       // Of reads.
};

struct Done {
    std::vector<std::int64_t> ids;
    std::vector<Answer> records;
};

using Reply = core::Result<Done>;

class BatchRunner {
public:
    // One attempt, counted and timed by the gateway.
    using Send = std::function<core::Result<Answer>(const Call& call, std::size_t records, const core::Deadline& deadline)>;

    BatchRunner(const GatewayOptions& options, const core::Clock& clock, Send send)
        : options_(options), clock_(clock), send_(std::move(send)) {}

    // One reply for each member, in order. All members are of one lane.
    [[nodiscard]] std::vector<Reply> run(std::vector<Work>&& batch);

private:
    struct Member {
        const Work* work;
        Reply* reply;
    };
    using Members = std::vector<Member>;

    void load(Members members, int resends = 0);
    void act(Members members, int resends = 0);
    void write(Members members);
    void read(const Members& members);
    void find(const Members& members);

public:
    // A call that changes nothing, asked again when its answer is lost.
    [[nodiscard]] core::Result<Answer> ask(const Call& call, std::size_t records, const core::Deadline& deadline);

private:
    // Takes out and answers those whose lease has run out; the deadline of a call for the rest.
    [[nodiscard]] Members still_held(const Members& members) const;
    [[nodiscard]] core::Deadline call_deadline(const Members& members) const;
    [[nodiscard]] core::Deadline read_deadline(const Members& members) const;
    static void fail_all(const Members& members, const core::Error& error);

    const GatewayOptions& options_;
    const core::Clock& clock_;
    const Send send_;
};

}  // namespace syncline::odoo
