#include "snapshot/sorter.h"

#include <utility>

namespace reconciliation {
namespace {

// Several runs as one, by a tournament: each run stands at a leaf, each inner place holds the loser of its match.
class MergedRuns final : public StockRows {
public:
    static core::Result<std::unique_ptr<MergedRuns>> open(std::vector<SpillFile> files) {
        std::vector<std::unique_ptr<RunReader>> runs;
        for (auto& file : files) {
            auto run = RunReader::open(std::move(file));
            if (!run) {
                return std::unexpected(run.error());
            }
            runs.push_back(std::move(*run));
        }
        auto merged = std::unique_ptr<MergedRuns>(new MergedRuns(std::move(runs)));
        if (auto started = merged->start(); !started) {
            return std::unexpected(started.error());
        }
        return merged;
    }

    core::Result<const StockRow*> next() override {
        if (given_) {
            if (auto moved = advance(winner_); !moved) {
                return std::unexpected(moved.error());
            }
            replay();
        }
        given_ = true;
        if (runs_.empty() || ended_[winner_]) {
            given_ = false;
            return nullptr;
        }
        return &runs_[winner_]->row();
    }
    [[nodiscard]] std::string_view key() const { return runs_[winner_]->key(); }
    [[nodiscard]] std::string_view payload() const { return runs_[winner_]->payload(); }

private:
    explicit MergedRuns(std::vector<std::unique_ptr<RunReader>> runs)
        : runs_(std::move(runs)), ended_(runs_.size(), false), losers_(runs_.size(), kNobody) {}

    static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

    core::Result<void> start() {
        for (std::size_t run = 0; run < runs_.size(); ++run) {
            if (auto moved = advance(run); !moved) {
                return moved;
            }
        }
        for (std::size_t run = 0; run < runs_.size(); ++run) {
            enter(run);
        }
        return {};
    }

    core::Result<void> advance(std::size_t run) {
        const auto row = runs_[run]->next();
        if (!row) {
            return std::unexpected(row.error());
        }
        ended_[run] = *row == nullptr;
        return {};
    }

    // Earlier runs first among equals, so that the order in which rows came is kept.
    [[nodiscard]] bool before(std::size_t a, std::size_t b) const {
        if (ended_[a] || ended_[b]) {
            return !ended_[a] && (ended_[b] || a < b);
        }
        const int order = runs_[a]->key().compare(runs_[b]->key());
        return order != 0 ? order < 0 : a < b;
    }

    void enter(std::size_t run) {
        std::size_t winner = run;
        for (std::size_t place = (run + runs_.size()) / 2; place > 0; place /= 2) {
            if (losers_[place] == kNobody) {
                losers_[place] = winner;
                return;
            }
            if (before(losers_[place], winner)) {
                std::swap(losers_[place], winner);
            }
        }
        winner_ = winner;
    }

    void replay() {
        std::size_t winner = winner_;
        for (std::size_t place = (winner_ + runs_.size()) / 2; place > 0; place /= 2) {
            if (before(losers_[place], winner)) {
                std::swap(losers_[place], winner);
            }
        }
        winner_ = winner;
    }

    std::vector<std::unique_ptr<RunReader>> runs_;
    std::vector<char> ended_;
    std::vector<std::size_t> losers_;
    std::size_t winner_ = 0;
    bool given_ = false;
};

core::Result<void> write_run(RowBlock& block, SpillFile& file) {
    block.sort();
    RunWriter writer(file);
    for (std::size_t at = 0; at < block.size(); ++at) {
        const auto key = block.key(at);
        if (auto added = writer.add(key, block.payload(at)); !added) {
            return added;
        }
    }
    return writer.finish();
}

}  // namespace

Sorter::Sorter(SorterOptions options)
    : options_(std::move(options)), filling_(std::make_unique<RowBlock>(options_.memory_bytes / 2)) {}

Sorter::~Sorter() {
    if (written_.valid()) {
        written_.wait();
    }
}

core::Result<void> Sorter::add(const StockRow& row) {
    if (auto checked = check_row(row); !checked) {
        return checked;
    }
    if (!filling_->add(row)) {
        if (auto spilled = spill(); !spilled) {
            return spilled;
        }
        if (!filling_->add(row)) {
            return core::fail(core::ErrorKind::bug, "sorter_memory", "a row does not fit into the sorter's memory");
        }
    }
    ++rows_;
    return {};
}

core::Result<void> Sorter::settle() {
    if (!written_.valid()) {
        return {};
    }
    auto run = written_.get();
    if (!run) {
        return std::unexpected(run.error());
    }
    runs_.push_back(std::move(*run));
    writing_->clear();
    return runs_.size() < kRunsMax ? core::Result<void>{} : merge_runs();
}

core::Result<void> Sorter::spill() {
    if (auto settled = settle(); !settled) {
        return settled;
    }
    std::swap(filling_, writing_);
    if (!filling_) {
        filling_ = std::make_unique<RowBlock>(options_.memory_bytes / 2);
    }
    written_ = std::async(std::launch::async, [block = writing_.get(), folder = options_.folder]() -> core::Result<SpillFile> {
        auto file = SpillFile::nameless(folder);
        if (!file) {
            return file;
        }
        if (auto done = write_run(*block, *file); !done) {
            return std::unexpected(done.error());
        }
        return file;
    });
    return {};
}

core::Result<void> Sorter::merge_runs() {
    auto merged = MergedRuns::open(std::exchange(runs_, {}));
    if (!merged) {
        return std::unexpected(merged.error());
    }
    auto file = SpillFile::nameless(options_.folder);
    if (!file) {
        return std::unexpected(file.error());
    }
    RunWriter writer(*file);
    for (;;) {
        const auto row = (*merged)->next();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row == nullptr) {
            break;
        }
        if (auto added = writer.add((*merged)->key(), (*merged)->payload()); !added) {
            return added;
        }
    }
    if (auto finished = writer.finish(); !finished) {
        return finished;
    }
    runs_.push_back(std::move(*file));
    return {};
}

core::Result<std::unique_ptr<StockRows>> Sorter::finish() {
    if (!filling_->empty()) {
        if (auto spilled = spill(); !spilled) {
            return std::unexpected(spilled.error());
        }
    }
    if (auto settled = settle(); !settled) {
        return std::unexpected(settled.error());
    }
    filling_.reset();
    writing_.reset();
    auto merged = MergedRuns::open(std::exchange(runs_, {}));
    if (!merged) {
        return std::unexpected(merged.error());
    }
    return std::unique_ptr<StockRows>(std::move(*merged));
}

}  // namespace reconciliation
