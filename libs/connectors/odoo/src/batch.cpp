#include "batch.h"

#include <syncline/json/writer.h>
#include <algorithm>
#include <map>
#include <utility>

namespace syncline::odoo {
namespace {

using core::Error;
using core::ErrorKind;

// A call must be over before the lease is, or its end would need a verification that a shorter timeout spares.
constexpr std::chrono::milliseconds kLeaseMargin{250};

void write_names(json::Writer& out, std::string_view key, const std::vector<std::string>& names) {
    out.key(key).begin_array();
    for (const auto& name : names) {
        out.string(name);
    }
    out.end_array();
}

Error refused_record(const LoadVerdict::Refused& refused) {
    const bool decision = refused.code == "wrong_company";
    return Error{.kind = decision ? ErrorKind::needs_decision : ErrorKind::rejected,
                 .code = refused.code,
                 .message = "Odoo refuses the record" + (refused.field.empty() ? std::string{} : " because of " + refused.field),
                 .hint = "Odoo's log has the text of the message"};
}

Error lease_expired() {
    return Error{
        .kind = ErrorKind::conflict, .code = "lease_expired", .message = "the lease ran out before the call; nothing was sent"};
}

// Whether a failed call may be about one record of the batch, so that the others deserve a try without it. A lock that outlasts
// every resend is such a one: somebody holds one record, not all of them.
bool about_one(const Error& error) {
    return error.kind == ErrorKind::rejected || error.kind == ErrorKind::conflict ||
           (error.kind == ErrorKind::needs_decision && error.code == "document_vanished");
}

template <typename Members>
std::pair<Members, Members> halves(const Members& members) {
    const auto middle = members.begin() + static_cast<std::ptrdiff_t>(members.size() / 2);
    return {Members(members.begin(), middle), Members(middle, members.end())};
}

}  // namespace

std::string context_of(const Scope& scope, std::string_view further) {
    std::string context = R"({"tz":"UTC","tracking_disable":true,"mail_create_nosubscribe":true)";
    if (!scope.language.empty()) {
        json::Writer language;
        language.string(scope.language);
        context += ",\"lang\":" + std::move(language).take();
    }
    if (scope.company != 0) {
        context += ",\"allowed_company_ids\":[" + std::to_string(scope.company) + "]";
    }
    if (!further.empty()) {
        context += ",";
        context += further;
    }
    return context + "}";
}

std::vector<Reply> BatchRunner::run(std::vector<Work>&& batch) {
    std::vector<Reply> replies(batch.size(), Reply(Done{}));
    Members members;
    members.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        members.push_back({.work = &batch[i], .reply = &replies[i]});
    }
    switch (batch.front().request.index()) {
        case 0:
            load(std::move(members));
            break;
        case 1:
            act(std::move(members));
            break;
        case 2:
            write(std::move(members));
            break;
        case 3:
            read(members);
            break;
        default:
            find(members);
            break;
    }
    return replies;
}

void BatchRunner::fail_all(const Members& members, const Error& error) {
    for (const auto& member : members) {
        *member.reply = std::unexpected(error);
    }
}

BatchRunner::Members BatchRunner::still_held(const Members& members) const {
    Members held;
    for (const auto& member : members) {
        if (clock_.steady() + kLeaseMargin < *member.work->lease_until) {
            held.push_back(member);
        } else {
            *member.reply = std::unexpected(lease_expired());
        }
    }
    return held;
}

core::Deadline BatchRunner::call_deadline(const Members& members) const {
    core::Deadline deadline(clock_, options_.call_timeout);
    for (const auto& member : members) {
        deadline = deadline.sooner_of(core::Deadline(clock_, *member.work->lease_until - kLeaseMargin));
    }
    return deadline;
}

core::Deadline BatchRunner::read_deadline(const Members& members) const {
    core::Deadline deadline(clock_, options_.read_timeout);
    for (const auto& member : members) {
        if (member.work->deadline) {
            deadline = deadline.sooner_of(*member.work->deadline);
        }
    }
    return deadline;
}

void BatchRunner::load(Members members, int resends) {
    while (true) {
        members = still_held(members);
        if (members.empty()) {
            return;
        }
        const auto& first = std::get<LoadRequest>(members.front().work->request);
        json::Writer params;
        params.begin_object();
        write_names(params, "fields", first.columns);
        params.key("data").begin_array();
        std::vector<std::size_t> owner;  // Member of each record.
        for (std::size_t i = 0; i < members.size(); ++i) {
            for (const auto& record : std::get<LoadRequest>(members[i].work->request).records) {
                owner.push_back(i);
                for (const auto& row : record) {
                    params.begin_array();
                    for (const auto& cell : row) {
                        params.string(cell);
                    }
                    params.end_array();
                }
            }
        }
        params.end_array().end_object();
        std::string further = R"("mode":"update","noupdate":true)";
        if (!first.context.empty()) {
            further += "," + first.context;
        }
        const Call call{.model = first.model,
                        .method = "load",
                        .params = std::move(params).take(),
                        .context = context_of(first.scope, further),
                        .changes = true};
        auto answer = send_(call, members.size(), call_deadline(members));
        auto reply = answer ? read_load(*answer) : core::Result<LoadReply>(std::unexpected(std::move(answer.error())));
        // The halves of a batch that was sent again for nothing get one more try each.
        const auto split_or_fail = [&](const Error& error) {
            if (members.size() == 1 || !about_one(error)) {
                return fail_all(members, error);
            }
            auto [left, right] = halves(members);
            const int tried = std::min(resends, options_.resends_max);
            load(std::move(left), tried);
            load(std::move(right), tried);
        };
        if (!reply) {
            const auto& error = reply.error();
            const bool passing = error.kind == ErrorKind::unknown_outcome || error.code == "serialization_failure";
            if (passing && resends++ < options_.resends_max) {
                continue;
            }
            return split_or_fail(error);
        }
        if (reply->ids) {
            if (reply->ids->size() != owner.size()) {
                return fail_all(members, Error{.kind = ErrorKind::unknown_outcome,
                                               .code = "reply_unexpected",
                                               .message = "load answered another number of ids than it was sent records"});
            }
            for (std::size_t i = 0; i < owner.size(); ++i) {
                (*members[owner[i]].reply)->ids.push_back((*reply->ids)[i]);
            }
            return;
        }
        const auto verdict = judge(*reply, owner.size());
        if (verdict.send_again) {
            if (resends++ < options_.resends_max) {
                continue;
            }
            return split_or_fail(Error{.kind = ErrorKind::conflict,
                                       .code = "serialization_failure",
                                       .message = "another transaction held a record of the batch"});
        }
        if (verdict.refused.empty()) {
            return split_or_fail(refused_record({.record = 0, .code = "load_refused", .field = {}}));
        }
        std::vector<bool> bad(members.size(), false);
        for (const auto& refused : verdict.refused) {
            const auto at = owner[refused.record];
            if (!bad[at]) {
                bad[at] = true;
                *members[at].reply = std::unexpected(refused_record(refused));
            }
        }
        Members rest;
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!bad[i]) {
                rest.push_back(members[i]);
            }
        }
        members = std::move(rest);
    }
}

void BatchRunner::act(Members members, int resends) {
    members = still_held(members);
    if (members.empty()) {
        return;
    }
    const auto& first = std::get<ActRequest>(members.front().work->request);
    Call call{.model = first.model,
              .method = first.method,
              .on_records = true,
              .context = context_of(first.scope, first.context),
              .changes = true};
    std::map<std::int64_t, Members> of_id;  // The same record may be asked for twice.
    for (const auto& member : members) {
        of_id[std::get<ActRequest>(member.work->request).id].push_back(member);
    }
    for (const auto& [id, who] : of_id) {
        call.ids.push_back(id);
    }
    const auto answer = send_(call, call.ids.size(), call_deadline(members));
    if (answer) {
        return;  // Whatever the method returned: true, false, None or an action for a window.
    }
    const auto error = answer.error();
    if (error.kind != ErrorKind::unknown_outcome && error.kind != ErrorKind::rejected && error.kind != ErrorKind::conflict &&
        error.code != "document_vanished") {
        return fail_all(members, error);
    }
    // All or nothing, and the refusal names no record: see which are already where they should be.
    json::Writer params;
    params.begin_object().key("fields").begin_array().string("state").end_array().end_object();
    const auto states = ask({.model = first.model,
                             .method = "read",
                             .ids = call.ids,
                             .on_records = true,
                             .params = std::move(params).take(),
                             .context = context_of(first.scope)},
                            call.ids.size(), core::Deadline(clock_, options_.read_timeout).sooner_of(call_deadline(members)));
    if (!states || !states->value()) {
        return fail_all(members, error);
    }
    std::map<std::int64_t, std::string> state_of;
    for (const auto record : states->value()->elements()) {
        const auto id = record.get("id");
        state_of[id ? id->int64().value_or(0) : 0] = text(record.get("state"));
    }
    Members rest;
    for (const auto& [id, who] : of_id) {
        const auto state = state_of.find(id);
        if (state == state_of.end()) {
            fail_all(who, Error{.kind = ErrorKind::needs_decision,
                                .code = "document_vanished",
                                .message = "the record does not exist any more"});
        } else if (std::ranges::find(first.done_states, state->second) == first.done_states.end()) {
            rest.insert(rest.end(), who.begin(), who.end());
        }
    }
    if (rest.empty()) {
        return;
    }
    if (error.kind == ErrorKind::unknown_outcome) {
        // Not there yet. To ask twice is harmless: whoever comes second finds it done.
        if (resends >= options_.resends_max) {
            return fail_all(rest, error);
        }
        return act(std::move(rest), resends + 1);
    }
    if (rest.size() < members.size()) {
        return act(std::move(rest), resends);
    }
    if (of_id.size() == 1) {
        return fail_all(rest, error);
    }
    auto [left, right] = halves(rest);
    act(std::move(left), resends);
    act(std::move(right), resends);
}

void BatchRunner::write(Members members) {
    int resends = 0;
    while (true) {
        members = still_held(members);
        if (members.empty()) {
            return;
        }
        const auto& first = std::get<WriteRequest>(members.front().work->request);
        Call call{.model = first.model,
                  .method = "write",
                  .on_records = true,
                  .params = R"({"vals":)" + first.values + "}",
                  .context = context_of(first.scope),
                  .changes = true};
        for (const auto& member : members) {
            const auto id = std::get<WriteRequest>(member.work->request).id;
            if (std::ranges::find(call.ids, id) == call.ids.end()) {
                call.ids.push_back(id);
            }
        }
        const auto answer = send_(call, call.ids.size(), call_deadline(members));
        if (answer) {
            return;
        }
        const auto& error = answer.error();
        const bool again =
            error.code == "serialization_failure" || (error.kind == ErrorKind::unknown_outcome && first.repeatable);
        if (again && resends++ < options_.resends_max) {
            continue;
        }
        if (about_one(error) && call.ids.size() > 1) {
            auto [left, right] = halves(members);
            write(std::move(left));
            write(std::move(right));
            return;
        }
        return fail_all(members, error);
    }
}

// Reading again is always right, so a lost answer is asked for again.
core::Result<Answer> BatchRunner::ask(const Call& call, std::size_t records, const core::Deadline& deadline) {
    for (int resends = 0;; ++resends) {
        auto answer = send_(call, records, deadline);
        if (answer || answer.error().kind != ErrorKind::unknown_outcome || resends >= options_.resends_max || deadline.passed()) {
            return answer;
        }
    }
}

namespace {

// A lost answer of a read changed nothing: the target is simply not there.
Error of_read(Error error) {
    if (error.kind == ErrorKind::unknown_outcome) {
        error.kind = ErrorKind::transient;
    }
    return error;
}

}  // namespace

void BatchRunner::read(const Members& members) {
    const auto& first = std::get<ReadRequest>(members.front().work->request);
    std::vector<std::int64_t> wanted;
    for (const auto& member : members) {
        const auto& ids = std::get<ReadRequest>(member.work->request).ids;
        wanted.insert(wanted.end(), ids.begin(), ids.end());
    }
    std::ranges::sort(wanted);
    wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());
    json::Writer params;
    params.begin_object();
    write_names(params, "fields", first.fields);
    params.end_object();
    auto answer = ask({.model = first.model,
                       .method = "read",
                       .ids = std::move(wanted),
                       .on_records = true,
                       .params = std::move(params).take(),
                       .context = context_of(first.scope, R"("active_test":false)")},
                      members.size(), read_deadline(members));
    if (!answer) {
        return fail_all(members, of_read(answer.error()));
    }
    std::map<std::int64_t, Answer> by_id;
    if (answer->value()) {
        for (const auto record : answer->value()->elements()) {
            if (const auto id = record.get("id")) {
                by_id.emplace(id->int64().value_or(0), answer->at(record));
            }
        }
    }
    for (const auto& member : members) {
        for (const auto id : std::get<ReadRequest>(member.work->request).ids) {
            if (const auto found = by_id.find(id); found != by_id.end()) {
                (*member.reply)->records.push_back(found->second);
            }
        }
    }
}

void BatchRunner::find(const Members& members) {
    const auto& first = std::get<FindRequest>(members.front().work->request);
    json::Writer params;
    params.begin_object().key("domain").begin_array();
    if (!first.domain.empty()) {
        params.raw(first.domain);
    }
    params.begin_array().string(first.field).string("in").begin_array();
    std::multimap<std::string_view, const Member*> wanted;
    for (const auto& member : members) {
        const auto& value = std::get<FindRequest>(member.work->request).value;
        if (!wanted.contains(value)) {
            params.string(value);
        }
        wanted.emplace(value, &member);
    }
    params.end_array().end_array().end_array();
    auto fields = first.fields;
    if (std::ranges::find(fields, first.field) == fields.end()) {
        fields.push_back(first.field);
    }
    write_names(params, "fields", fields);
    params.member("order", "id").end_object();
    auto answer = ask(
        {.model = first.model, .method = "search_read", .params = std::move(params).take(), .context = context_of(first.scope)},
        members.size(), read_deadline(members));
    if (!answer) {
        return fail_all(members, of_read(answer.error()));
    }
    if (answer->value()) {
        for (const auto record : answer->value()->elements()) {
            const auto value = text(record.get(first.field));
            const auto [begin, end] = wanted.equal_range(value);
            for (auto it = begin; it != end; ++it) {
                (*it->second->reply)->records.push_back(answer->at(record));
            }
        }
    }
}

}  // namespace syncline::odoo
