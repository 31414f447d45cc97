#include "src/processing/intents.h"

#include <syncline/telemetry/log.h>
#include <algorithm>
#include <map>
#include <utility>

namespace syncline::kit {

Intents::Intents(Database& database, store::Identity who, core::Clock& clock, std::chrono::milliseconds linger,
                 std::chrono::milliseconds longest_request, std::function<void(const std::string&)> ended)
    : database_(database),
      who_(std::move(who)),
      clock_(clock),
      longest_request_(longest_request),
      ended_(std::move(ended)),
      gather_(
          std::make_unique<core::Gather<Request, Answer>>(core::GatherOptions{.batch_max = 100, .linger = linger, .flushers = 2},
                                                          [this](std::vector<Request>&& requests) { return flush(requests); })) {}

core::Result<store::IntentAnswer> Intents::acquire(store::IntentWish wish, AssignmentPtr home) {
    return gather_->submit({.what = std::move(wish), .home = std::move(home)});
}

core::Result<bool> Intents::end_shared(store::SharedEnd end, AssignmentPtr home) {
    const auto external_key = end.external_key;
    auto answer = gather_->submit({.what = std::move(end), .home = std::move(home)});
    if (!answer) {
        return std::unexpected(std::move(answer.error()));
    }
    ended_(external_key);
    return answer->kind == store::IntentAnswerKind::taken;
}

void Intents::mark_verify(const std::string& external_key, const AssignmentPtr& home) {
    const auto marked = database_.persist([&] { return home->abandoned.load(); }, true,
                                          [&] {
                                              return store::mark_verify(database_.pool(), database_.deadline(), who_,
                                                                        external_key, clock_.now() + longest_request_);
                                          });
    if (!marked) {
        telemetry::log::failure(telemetry::log::Level::error, "verify_not_marked", marked.error());
    }
}

std::vector<Intents::Answer> Intents::flush(const std::vector<Request>& requests) {
    const auto now = clock_.now();
    std::vector<Answer> answers(requests.size(), Answer(store::IntentAnswer{}));
    std::vector<store::IntentWish> wishes;
    std::vector<store::SharedEnd> ends;
    std::vector<std::size_t> wish_of;
    std::vector<std::size_t> end_of;
    std::map<std::string, std::string, std::less<>> holder_of;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (const auto* end = std::get_if<store::SharedEnd>(&requests[i].what)) {
            ends.push_back(*end);
            end_of.push_back(i);
            continue;
        }
        const auto& wish = std::get<store::IntentWish>(requests[i].what);
        if (holder_of.emplace(wish.external_key, wish.holder).second) {
            wishes.push_back(wish);
            wish_of.push_back(i);
        } else {
            // Two keys want one record in one batch: the first gets it.
            answers[i] =
                store::IntentAnswer{.kind = store::IntentAnswerKind::busy, .busy_until = now + std::chrono::milliseconds{250}};
        }
    }
    const auto give_up = [&] {
        return std::ranges::all_of(requests, [](const auto& r) { return r.home->abandoned.load(); });
    };
    using Both = std::pair<std::vector<store::IntentAnswer>, std::vector<bool>>;
    auto both = database_.persist(give_up, true, [&] {
        return database_.pool().run(database_.deadline(), [&](postgres::Transaction& tx) -> core::Result<Both> {
            Both result;
            if (!ends.empty()) {
                auto ended = store::end_shared_intents(tx, who_, now, ends);
                if (!ended) {
                    return std::unexpected(std::move(ended.error()));
                }
                result.second = std::move(*ended);
            }
            if (!wishes.empty()) {
                auto acquired = store::acquire_intents(tx, who_, now, now + longest_request_, wishes);
                if (!acquired) {
                    return std::unexpected(std::move(acquired.error()));
                }
                result.first = std::move(*acquired);
            }
            return result;
        });
    });
    if (!both) {
        std::ranges::fill(answers, Answer(std::unexpected(both.error())));
        return answers;
    }
    for (std::size_t n = 0; n < wish_of.size(); ++n) {
        answers[wish_of[n]] = std::move(both->first[n]);
    }
    for (std::size_t n = 0; n < end_of.size(); ++n) {
        answers[end_of[n]] =
            store::IntentAnswer{.kind = both->second[n] ? store::IntentAnswerKind::taken : store::IntentAnswerKind::busy};
    }
    return answers;
}

}  // namespace syncline::kit
