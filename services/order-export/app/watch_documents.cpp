#include "app/watch_documents.h"

#include <algorithm>
#include <map>
#include <set>

namespace order_export {
namespace {

constexpr std::size_t kAtOnce = 200;
constexpr std::chrono::milliseconds kLeaseMargin{10'000};

// What the export itself has announced of a document in that state.
std::string exported_as(DocumentState state) {
    return state == DocumentState::confirmed ? "sale" : state == DocumentState::cancelled ? "cancel" : "draft";
}

}  // namespace

std::string_view to_string(Feed feed) {
    switch (feed) {
        case Feed::orders:
            return "orders";
        case Feed::transfers:
            return "transfers";
        case Feed::invoices:
            return "invoices";
    }
    return "other";
}

core::Result<std::size_t> WatchDocuments::pass() {
    const core::Deadline deadline(clock_, options_.call_timeout);
    std::set<TargetId> changed;
    std::map<Feed, core::SystemTime> newest;
    for (const auto feed : kFeeds) {
        const auto position = memory_.position(feed);
        if (!position) {
            return std::unexpected(position.error());
        }
        const auto since = *position ? **position - options_.overlap : clock_.now() - options_.first_look;
        auto changes = feeds_.changed(feed, since, deadline);
        if (!changes) {
            return std::unexpected(std::move(changes.error()));
        }
        changed.insert(changes->documents.begin(), changes->documents.end());
        if (changes->newest && (!*position || *changes->newest > **position)) {
            newest.emplace(feed, *changes->newest);
        }
    }
    const std::vector<TargetId> ids(changed.begin(), changed.end());
    std::size_t announced = 0;
    for (std::size_t begin = 0; begin < ids.size(); begin += kAtOnce) {
        const auto done = look(std::span(ids).subspan(begin, std::min(kAtOnce, ids.size() - begin)));
        if (!done) {
            return std::unexpected(done.error());
        }
        announced += *done;
    }
    // Last: a pass that ends before looks at the same changes again.
    for (const auto& [feed, time] : newest) {
        if (auto kept = memory_.keep_position(feed, time); !kept) {
            return std::unexpected(std::move(kept.error()));
        }
    }
    return announced;
}

core::Result<std::size_t> WatchDocuments::look(std::span<const TargetId> ids) {
    const auto before = memory_.known(ids);
    if (!before) {
        return std::unexpected(before.error());
    }
    if (before->empty()) {
        return 0;
    }
    std::vector<TargetId> ours;
    std::ranges::transform(*before, std::back_inserter(ours), &KnownDocument::id);
    const auto read_at = clock_.now();
    const auto now = feeds_.read(ours, core::Deadline(clock_, options_.call_timeout));
    if (!now) {
        return std::unexpected(now.error());
    }
    // Again, after the target was read: an export that ended between the two has said itself what it did.
    const auto known = memory_.known(ours);
    if (!known) {
        return std::unexpected(known.error());
    }
    std::vector<Announcement> news;
    for (const auto& document : *known) {
        const auto found = std::ranges::find(*now, document.id, &DocumentNow::id);
        if (found != now->end() && is_news(found->progress, exported_as(document.state), document.version, document.announced)) {
            news.push_back({.document = document, .now = *found});
        }
    }
    if (!news.empty()) {
        if (auto announced = memory_.announce(news, read_at); !announced) {
            return std::unexpected(std::move(announced.error()));
        }
    }
    return news.size();
}

DocumentWatch::DocumentWatch(WatchDocuments& watch, DocumentMemory& memory, core::Clock& clock, WatchOptions options,
                             Failed failed)
    : watch_(watch), memory_(memory), clock_(clock), options_(options), failed_(std::move(failed)) {}

DocumentWatch::~DocumentWatch() {
    stop();
}

void DocumentWatch::start() {
    thread_ = std::thread([this] { run(); });
}

void DocumentWatch::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void DocumentWatch::run() {
    const bool polls = options_.poll.count() > 0;
    const auto step = polls ? std::min(options_.poll, options_.holds_every) : options_.holds_every;
    auto poll_at = clock_.steady();
    auto holds_at = clock_.steady() + options_.holds_every;
    bool leased = false;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        // A pass that takes longer may meet another's: then something is told twice, which says the same.
        leased = memory_.lease(2 * step + kLeaseMargin);
        if (leased && polls && clock_.steady() >= poll_at) {
            if (const auto done = watch_.pass(); !done) {
                failed_("documents_not_watched", done.error());
            }
            poll_at = clock_.steady() + options_.poll;
        }
        if (leased && clock_.steady() >= holds_at) {
            if (const auto done = memory_.end_holds(options_.holds_quiet); !done) {
                failed_("holds_not_ended", done.error());
            }
            holds_at = clock_.steady() + options_.holds_every;
        }
        lock.lock();
        clock_.wait_until(lock, wake_, clock_.steady() + step, [this] { return stopping_; });
    }
    lock.unlock();
    if (leased) {
        memory_.release();
    }
}

}  // namespace order_export
