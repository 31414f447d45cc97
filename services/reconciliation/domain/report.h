// A comparison written down: for people (table), for spreadsheets (CSV) and for programs (JSON). Row by row, so that a report of
// any length takes no memory.
//
//   ReportWriter report(ReportFormat::csv, now_ns, [&](std::string_view piece) { out << piece; });
//   for (…) { report.row(difference, healing); }
//   report.finish(totals);
//
// One thread. Texts come from foreign systems: control characters are replaced in the table, so that none steers a terminal, and
// in CSV a text that a spreadsheet would run as a formula gets an apostrophe in front. JSON has them exactly.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "domain/compare_stock.h"
#include "domain/divergence.h"
#include "domain/healing.h"

namespace reconciliation {

enum class ReportFormat : std::uint8_t { table, csv, json };

class ReportWriter {
public:
    using Write = std::function<void(std::string_view piece)>;
    // Ages are measured at `now_ns`.
    ReportWriter(ReportFormat format, std::int64_t now_ns, Write write);
    void row(const Difference& difference, Healing healing);
    // Ends the report; the counts stand below the table and in JSON, a CSV has rows only.
    void finish(const CompareTotals& totals);

private:
    void begin();
    ReportFormat format_;
    std::int64_t now_ns_;
    Write write_;
    bool begun_ = false;
    bool first_ = true;
};

}  // namespace reconciliation
