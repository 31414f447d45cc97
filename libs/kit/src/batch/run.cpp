#include "src/batch/run.h"

#include <syncline/core/fault.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <exception>
#include <map>
#include <utility>
#include <vector>

#include "src/batch/records.h"
#include "src/processing/doubt.h"
#include "src/processing/event.h"
#include "src/store/batch_rows.h"
#include "src/store/dead_letter_rows.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {
namespace {

using core::ErrorKind;
using telemetry::log::Level;

constexpr std::string_view kNotOurs = "batch_not_ours";
constexpr int kAloneTriesMax = 3;

std::string_view short_name(std::string_view type) {
    return type.empty() ? "none" : type.substr(type.rfind('.') + 1);
}

core::Error process_died() {
    return {.kind = ErrorKind::bug,
            .code = "process_died",
            .message = "the process ended three times while this record was applied alone"};
}

// A part of the batch that goes in one transaction.
struct Piece {
    std::size_t first = 0;
    std::size_t last = 0;  // Not included.
    int attempts = 1;
    std::optional<core::Error> verdict;  // Of a single record: it is bad, whatever it is.
};

struct Bad {
    std::size_t index;  // In the batch.
    core::Error error;
};

class BatchRun {
public:
    BatchRun(const BatchContext& context, BatchPartition& partition, std::span<const TransportRecord> records)
        : context_(context), partition_(partition), records_(records) {
        wanted_.reserve(records.size());
        places_.reserve(records.size());
        for (std::size_t i = 0; i < records.size(); ++i) {
            auto read = read_record(records[i], partition.handler);
            switch (read.use) {
                case RecordUse::wanted:
                    places_.push_back(i);
                    wanted_.push_back(std::move(read.record));
                    break;
                case RecordUse::passed_over:
                    ++passed_over_;
                    break;
                case RecordUse::malformed:
                    malformed_headers_[i] = std::move(read.record.headers);
                    malformed_.push_back({i, std::move(read.error)});
                    break;
            }
        }
    }

    BatchResult run(std::int64_t limit) {
        BatchResult result;
        std::vector<Piece> pieces{Piece{.first = 0, .last = records_.size(), .verdict = {}}};
        const bool alone =
            records_.size() == 1 && wanted_.size() == 1 && runs_alone(partition_, records_.front().position.offset);
        if (!prepare(limit, alone, pieces.back(), result)) {
            return result;
        }
        while (!pieces.empty()) {
            if (partition_.stopping) {
                result.end = BatchEnd::given_up;
                return result;
            }
            auto piece = std::move(pieces.back());
            pieces.pop_back();
            const auto written = write(piece, alone);
            if (written && !*written) {
                result.end = BatchEnd::not_ours;
                return result;
            }
            if (written) {
                settle(piece, result);
            } else if (partition_.abandoned || database_is_away(written.error())) {
                result.end = BatchEnd::given_up;
                return result;
            } else if (!mend(std::move(piece), written.error(), pieces)) {
                result = {.end = BatchEnd::broken,
                          .settled = result.settled,
                          .wrote_outbox = result.wrote_outbox,
                          .error = written.error()};
                return result;
            }
        }
        return result;
    }

private:
    // What must stand in PostgreSQL before the first record is handed out.
    bool prepare(std::int64_t limit, bool alone, Piece& piece, BatchResult& result) {
        auto& database = context_.database;
        const auto give_up = [this] {
            return partition_.abandoned.load();
        };
        core::Result<void> done;
        if (limit > partition_.mark) {
            done = database.persist(give_up, true, [&] {
                return store::set_batch_mark(database.pool(), database.deadline(), context_.who,
                                             {.partition = partition_.where, .epoch = partition_.epoch, .end = limit});
            });
            if (done) {
                partition_.mark = limit;
            }
        }
        if (done && alone) {
            const auto tries = database.persist(give_up, true, [&] {
                return store::count_poison_try(database.pool(), database.deadline(), context_.who, records_.front().position);
            });
            if (!tries) {
                done = std::unexpected(tries.error());
            } else if (*tries > kAloneTriesMax) {
                piece.verdict = process_died();
            }
        }
        if (!done) {
            result.end = partition_.abandoned || database_is_away(done.error()) ? BatchEnd::given_up : BatchEnd::broken;
            result.error = done.error();
        }
        return done.has_value();
    }

    // After an error of the transaction that trying again does not mend. False: nothing does.
    bool mend(Piece piece, const core::Error& error, std::vector<Piece>& pieces) {
        const auto size = piece.last - piece.first;
        const bool quarrel = database_quarrels(error);
        telemetry::log::failure(quarrel ? Level::warn : Level::info, "batch_failed", error,
                                {{"topic", partition_.where.topic},
                                 {"partition", partition_.where.partition},
                                 {"offset", records_[piece.first].position.offset},
                                 {"records", size}});
        if (!quarrel && (piece.verdict || wanted_of(piece).empty())) {
            return false;
        }
        ++piece.attempts;
        if (size == 1) {
            if (!quarrel) {
                piece.verdict = error;
            }
            pieces.push_back(std::move(piece));
            return true;
        }
        context_.meters.batches.with({partition_.where.topic, "halved"}).add();
        const auto middle = piece.first + size / 2;
        pieces.push_back({.first = middle, .last = piece.last, .attempts = piece.attempts, .verdict = {}});
        pieces.push_back({.first = piece.first, .last = middle, .attempts = piece.attempts, .verdict = {}});
        return true;
    }

    // False: another owner has gone on.
    core::Result<bool> write(const Piece& piece, bool alone) {
        return context_.database.persist([this] { return partition_.abandoned.load(); }, false,
                                         [&] { return write_once(piece, alone); });
    }

    core::Result<bool> write_once(const Piece& piece, bool alone) {
        const auto end = records_[piece.last - 1].position.offset + 1;
        const store::BatchMove move{.partition = partition_.where,
                                    .from = partition_.position,
                                    .to = end,
                                    .epoch = partition_.epoch,
                                    .mark = next_mark(partition_, end)};
        auto& database = context_.database;
        store::TransactionId id;
        bad_.clear();
        wrote_rows_ = false;
        const auto settled = database.pool().run(database.deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
            const auto moved = store::move_batch_offset(tx, context_.who, move, id);
            if (!moved) {
                return std::unexpected(moved.error());
            }
            if (!*moved) {
                return core::fail(ErrorKind::conflict, std::string(kNotOurs), "another owner has gone on");
            }
            const auto outcome = apply(piece, tx);
            if (!outcome) {
                return std::unexpected(outcome.error());
            }
            if (auto ok = write_rows(piece, *outcome, move, tx); !ok) {
                return ok;
            }
            if (alone) {
                if (auto ok = store::forget_poison_try(tx, context_.who, records_.front().position); !ok) {
                    return ok;
                }
            }
            SYNCLINE_FAULT_POINT("batch_applied");
            return {};
        });
        if (settled) {
            SYNCLINE_FAULT_POINT("batch_committed");
            return true;
        }
        if (settled.error().code == kNotOurs) {
            return false;
        }
        if (settled.error().code != "commit_in_doubt" || id.text.empty()) {
            return std::unexpected(settled.error());
        }
        const auto committed = committed_after_all(database, id, piece.last - piece.first);
        if (!committed) {
            return std::unexpected(committed.error());
        }
        return *committed ? core::Result<bool>(true) : core::Result<bool>(std::unexpected(commit_lost()));
    }

    core::Result<BatchOutcome> apply(const Piece& piece, postgres::Transaction& tx) {
        const auto wanted = piece.verdict ? std::span<const BatchRecord>() : wanted_of(piece);
        core::Result<BatchOutcome> outcome{BatchOutcome{}};
        if (!wanted.empty()) {
            const auto began = core::system_clock().steady();
            try {
                outcome = partition_.handler.apply(wanted, tx);
            } catch (const std::exception&) {
                // Its text may quote data.
                outcome = core::fail(ErrorKind::bug, "batch_exception", "applying the batch threw");
            } catch (...) {
                outcome = core::fail(ErrorKind::bug, "batch_exception", "applying the batch threw");
            }
            context_.meters.apply_seconds.with({partition_.where.topic})
                .observe(std::chrono::duration<double>(core::system_clock().steady() - began).count());
        }
        if (!outcome) {
            return outcome;
        }
        const auto skipped = static_cast<std::size_t>(std::ranges::lower_bound(places_, piece.first) - places_.begin());
        for (auto& bad : outcome->bad) {
            if (bad.index >= wanted.size()) {
                return core::fail(ErrorKind::bug, "bad_index", "a bad record is named that the batch does not have");
            }
            const auto place = places_[skipped + bad.index];
            if (std::ranges::none_of(bad_, [&](const auto& known) { return known.index == place; })) {
                bad_.push_back({place, std::move(bad.error)});
            }
        }
        for (const auto& malformed : malformed_) {
            if (malformed.index >= piece.first && malformed.index < piece.last) {
                bad_.push_back(malformed);
            }
        }
        if (piece.verdict) {
            bad_.push_back({piece.first, *piece.verdict});
        }
        std::ranges::sort(bad_, {}, &Bad::index);
        return outcome;
    }

    core::Result<void> write_rows(const Piece& piece, const BatchOutcome& outcome, const store::BatchMove& move,
                                  postgres::Transaction& tx) {
        const LetterContext context{.group = context_.who.group, .now = context_.clock.now(), .service = context_.service};
        std::vector<store::DeadLetter> letters;
        letters.reserve(bad_.size());
        auto rows = event_rows(context, outcome, place_of({move.partition.topic, move.partition.partition, move.to}));
        for (const auto& bad : bad_) {
            letters.push_back(batch_letter(context, records_[bad.index], headers_of(bad.index), bad.error, piece.attempts));
            rows.push_back(dead_letter_row(letters.back(), context.group, context.now));
        }
        std::vector<const store::DeadLetter*> letter_rows;
        std::ranges::transform(letters, std::back_inserter(letter_rows), [](const auto& letter) { return &letter; });
        if (auto ok = store::insert_dead_letters(tx, context_.who, letter_rows); !ok) {
            return ok;
        }
        std::vector<const store::OutboxRow*> outbox;
        std::ranges::transform(rows, std::back_inserter(outbox), [](const auto& row) { return &row; });
        wrote_rows_ = !outbox.empty();
        return store::insert_outbox(tx, context.now, outbox);
    }

    void settle(const Piece& piece, BatchResult& result) {
        const auto end = records_[piece.last - 1].position.offset + 1;
        partition_.position = end;
        partition_.mark = next_mark(partition_, end);
        result.settled = piece.last;
        result.wrote_outbox = result.wrote_outbox || wrote_rows_;
        context_.meters.batches.with({partition_.where.topic, "applied"}).add();
        context_.meters.records.with({partition_.where.topic}).observe(static_cast<double>(piece.last - piece.first));
        count(piece);
    }

    void count(const Piece& piece) {
        std::map<std::string_view, std::size_t> done;
        const auto now = context_.clock.now();
        const auto wanted = wanted_of(piece);
        for (const auto& record : wanted) {
            ++done[record.headers.type];
        }
        for (const auto& bad : bad_) {
            const auto& type = headers_of(bad.index).type;
            if (const auto found = done.find(type); found != done.end() && found->second > 0 && !is_malformed(bad.index)) {
                --found->second;
            }
            context_.events.events.with({short_name(type), "dead_letter", bad.error.code}).add();
            context_.events.dead_letters.with({core::to_string(bad.error.kind), bad.error.code}).add();
            telemetry::log::failure(Level::warn, "batch_record_dead", bad.error,
                                    {{"topic", partition_.where.topic},
                                     {"partition", partition_.where.partition},
                                     {"offset", records_[bad.index].position.offset}});
        }
        for (const auto& [type, number] : done) {
            if (number > 0) {
                context_.events.events.with({short_name(type), "done", ""}).add(static_cast<double>(number));
            }
        }
        std::string_view type;
        telemetry::Histogram age;
        for (const auto& record : wanted) {
            if (record.headers.received_at == core::SystemTime{}) {
                continue;
            }
            if (record.headers.type != type) {
                type = record.headers.type;
                age = context_.events.age_seconds.with({short_name(type)});
            }
            age.observe(std::chrono::duration<double>(now - record.headers.received_at).count());
        }
        if (const auto passed_over = std::exchange(passed_over_, 0); passed_over > 0) {
            context_.events.events.with({"none", "skipped", "unknown_type"}).add(static_cast<double>(passed_over));
        }
    }

    [[nodiscard]] std::span<const BatchRecord> wanted_of(const Piece& piece) const {
        const auto first = std::ranges::lower_bound(places_, piece.first) - places_.begin();
        const auto last = std::ranges::lower_bound(places_, piece.last) - places_.begin();
        return std::span(wanted_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    }
    [[nodiscard]] bool is_malformed(std::size_t index) const { return malformed_headers_.contains(index); }
    [[nodiscard]] const EventHeaders& headers_of(std::size_t index) const {
        if (const auto malformed = malformed_headers_.find(index); malformed != malformed_headers_.end()) {
            return malformed->second;
        }
        return wanted_[static_cast<std::size_t>(std::ranges::lower_bound(places_, index) - places_.begin())].headers;
    }

    const BatchContext& context_;
    BatchPartition& partition_;
    const std::span<const TransportRecord> records_;
    std::vector<BatchRecord> wanted_;
    std::vector<std::size_t> places_;  // Of the wanted ones in the batch.
    std::vector<Bad> malformed_;
    std::map<std::size_t, EventHeaders> malformed_headers_;  // As far as they could be read.
    std::size_t passed_over_ = 0;

    // Of the last transaction tried:
    std::vector<Bad> bad_;
    bool wrote_rows_ = false;
};

}  // namespace

BatchResult run_batch(const BatchContext& context, BatchPartition& partition, std::span<const TransportRecord> records,
                      std::int64_t limit) {
    return BatchRun(context, partition, records).run(limit);
}

}  // namespace syncline::kit
