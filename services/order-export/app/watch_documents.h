// What people do to our documents in the target by hand (confirm, ship, invoice, cancel), told as events; and holds that ended
// without an export, told as well.
//
// One pass reads what changed in the target since the last one, with an overlap (a change is stamped when its transaction begins
// and seen when it ends), looks up which of it are our documents, and announces those whose progress is news. The event and the
// memory of it are one transaction, so that nothing is told twice or never.
//
// DocumentWatch runs the passes in a thread of its own, in one instance at a time. Owned by the service.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/ports.h"
#include "domain/document_progress.h"

namespace order_export {

// What can change about a document.
enum class Feed : std::uint8_t { orders, transfers, invoices };
inline constexpr std::array kFeeds{Feed::orders, Feed::transfers, Feed::invoices};
[[nodiscard]] std::string_view to_string(Feed feed);

struct FeedChanges {
    std::vector<TargetId> documents;         // Sales documents, each once.
    std::optional<core::SystemTime> newest;  // By the target's clock; nullopt when nothing changed.
};

struct DocumentNow {
    TargetId id;
    std::string name;
    DocumentProgress progress;
};

// The target, read only. Blocks for a few calls, at most to the deadline.
class DocumentFeeds {
public:
    virtual ~DocumentFeeds() = default;
    // Everything that changed at `since` or later. A feed the target does not have, or does not show us, is empty for ever.
    [[nodiscard]] virtual core::Result<FeedChanges> changed(Feed feed, core::SystemTime since,
                                                            const core::Deadline& deadline) = 0;
    // Documents that do not exist any more are absent.
    [[nodiscard]] virtual core::Result<std::vector<DocumentNow>> read(std::span<const TargetId> ids,
                                                                      const core::Deadline& deadline) = 0;
};

// A document of ours, as the ledger knows it.
struct KnownDocument {
    OrderKey key;
    TargetId id;
    SnapshotVersion version;
    DocumentState state = DocumentState::none;
    std::string mapping_version;
    std::optional<AnnouncedProgress> announced;
};

struct Announcement {
    KnownDocument document;
    DocumentNow now;
};

class DocumentMemory {
public:
    virtual ~DocumentMemory() = default;
    // One instance at a time watches. Takes or renews; false also when the database is away.
    [[nodiscard]] virtual bool lease(std::chrono::milliseconds time) = 0;
    virtual void release() = 0;
    [[nodiscard]] virtual core::Result<std::optional<core::SystemTime>> position(Feed feed) = 0;
    [[nodiscard]] virtual core::Result<void> keep_position(Feed feed, core::SystemTime newest) = 0;
    [[nodiscard]] virtual core::Result<std::vector<KnownDocument>> known(std::span<const TargetId> ids) = 0;
    // Events and memory in one transaction; `read_at`: when the target said so.
    [[nodiscard]] virtual core::Result<void> announce(std::span<const Announcement> announcements, core::SystemTime read_at) = 0;
    // Tells which holds are over although no export said so: nothing of the order waits any more, for at least `quiet`. How many.
    [[nodiscard]] virtual core::Result<std::size_t> end_holds(std::chrono::milliseconds quiet) = 0;
};

struct WatchOptions {
    std::chrono::milliseconds poll{60'000};      // Zero: the target is not asked.
    std::chrono::milliseconds overlap{180'000};  // Longer than a transaction of the target may take.
    std::chrono::milliseconds first_look{86'400'000};
    std::chrono::milliseconds call_timeout{20'000};
    std::chrono::milliseconds holds_every{30'000};
    std::chrono::milliseconds holds_quiet{120'000};
};

class WatchDocuments {
public:
    // Both and the clock must outlive it.
    WatchDocuments(DocumentFeeds& feeds, DocumentMemory& memory, core::Clock& clock, WatchOptions options)
        : feeds_(feeds), memory_(memory), clock_(clock), options_(options) {}

    // How many documents were announced. What failed is done again by the next pass.
    [[nodiscard]] core::Result<std::size_t> pass();

private:
    [[nodiscard]] core::Result<std::size_t> look(std::span<const TargetId> ids);

    DocumentFeeds& feeds_;
    DocumentMemory& memory_;
    core::Clock& clock_;
    const WatchOptions options_;
};

class DocumentWatch {
public:
    // Called with what failed ("documents_not_watched", "holds_not_ended"), on the watching thread.
    using Failed = std::function<void(std::string_view what, const core::Error& error)>;
    DocumentWatch(WatchDocuments& watch, DocumentMemory& memory, core::Clock& clock, WatchOptions options, Failed failed);
    ~DocumentWatch();
    DocumentWatch(const DocumentWatch&) = delete;
    DocumentWatch& operator=(const DocumentWatch&) = delete;
    void start();
    // Waits for the pass under way.
    void stop();

private:
    void run();

    WatchDocuments& watch_;
    DocumentMemory& memory_;
    core::Clock& clock_;
    const WatchOptions options_;
    const Failed failed_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace order_export
