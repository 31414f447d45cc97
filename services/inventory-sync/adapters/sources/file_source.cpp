#include "adapters/sources/file_source.h"

#include <syncline/core/hash.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "adapters/sources/xml_rows.h"

namespace inventory_sync {
namespace {

namespace fs = std::filesystem;
namespace log = syncline::telemetry::log;
using core::ErrorKind;

constexpr std::chrono::seconds kTimeout{15};
constexpr std::chrono::minutes kAcknowledged{5};
constexpr std::size_t kPiece = 256UL * 1024;

const char* extension_of(const FileRule& rule) {
    return rule.format == FileFormat::xml ? ".xml" : ".csv";
}

fs::path beside(const fs::path& file, const char* extension) {
    auto marker = file;
    marker += extension;
    return marker;
}

core::Error away(const char* what) {
    return {.kind = ErrorKind::transient, .code = "folder_unreadable", .message = what};
}

struct Whole {
    std::uint64_t rows = 0;
    std::string digest;
};

core::Result<Whole> read_file(const fs::path& file, const FileRule& rule, const RowReader::Take& take) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return std::unexpected(away("the file cannot be opened"));
    }
    std::unique_ptr<RowReader> rows;
    if (rule.format == FileFormat::xml) {
        rows = std::make_unique<XmlRows>(rule);
    } else {
        rows = std::make_unique<CsvRows>(rule);
    }
    core::Sha256 digest;
    std::string piece(kPiece, '\0');
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
        const std::string_view part(piece.data(), static_cast<std::size_t>(in.gcount()));
        digest.update(part);
        if (auto done = rows->feed(part, take); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    if (in.bad()) {
        return std::unexpected(away("the file cannot be read to its end"));
    }
    if (auto done = rows->finish(take); !done) {
        return std::unexpected(std::move(done.error()));
    }
    return Whole{.rows = rows->rows(), .digest = core::hex_encode(core::bytes_of(digest.finish())).substr(0, 16)};
}

// A file that cannot be moved is an error: it would be read again for ever.
core::Result<void> put_away(const fs::path& file, const char* folder, const std::string& reason) {
    std::error_code failed;
    const auto to = file.parent_path() / folder;
    fs::create_directories(to, failed);
    if (!failed && !reason.empty()) {
        std::ofstream(to / (file.filename().string() + ".reason")) << reason << '\n';
    }
    if (!failed) {
        fs::rename(file, to / file.filename(), failed);
    }
    if (failed) {
        return std::unexpected(away("the file cannot be put away; is the folder writable?"));
    }
    fs::remove(beside(file, ".done"), failed);
    fs::remove(beside(file, ".accept"), failed);
    return {};
}

}  // namespace

core::Result<std::uint64_t> FileSource::last_rows(const std::string& source) {
    const auto rows = pool_.exec(core::Deadline(clock_, kTimeout), "SELECT rows FROM stock_files WHERE source = $1",
                                 syncline::postgres::Params{}.add(source));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? 0 : static_cast<std::uint64_t>((*rows)[0].int64(0));
}

core::Result<std::uint64_t> FileSource::publish(const std::string& source, Basis basis, const FolderRule& rule,
                                                const fs::path& file) {
    std::error_code failed;
    const auto written = fs::last_write_time(file, failed);
    if (failed) {
        return std::unexpected(away("the file has no time"));
    }
    const auto observed = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::file_clock::to_sys(written));
    const auto whole = read_file(file, rule.file, [](const FileRow&) { return core::Result<void>{}; });
    if (!whole) {
        return std::unexpected(whole.error());
    }
    const auto before = last_rows(source);
    if (!before) {
        return std::unexpected(before.error());
    }
    if (!fs::exists(beside(file, ".accept"), failed)) {
        if (auto follows = may_follow(whole->rows, *before, rule.file.shrink_refused_below); !follows) {
            return std::unexpected(std::move(follows.error()));
        }
    }
    const auto run = reporter_.begin();
    ReadLevel read{.position = {.sku = {}, .place = {.source = source, .location = {}}},
                   .basis = basis,
                   .unit = {},
                   .level = {.quantity = {}, .observed = observed, .snapshot = file.filename().string() + "@" + whole->digest}};
    const auto again = read_file(file, rule.file, [&](const FileRow& row) {
        read.position.sku = row.sku;
        read.position.place.location = row.location;
        read.unit = row.unit;
        read.level.quantity = row.quantity;
        return run->put(read);
    });
    if (!again) {
        return std::unexpected(again.error());
    }
    if (again->digest != whole->digest) {
        return std::unexpected(away("the file changed while it was read"));
    }
    if (auto done = run->done(core::Deadline(clock_, kAcknowledged)); !done) {
        return std::unexpected(std::move(done.error()));
    }
    const auto kept =
        pool_.exec(core::Deadline(clock_, kTimeout),
                   "INSERT INTO stock_files (source, rows, name, at) VALUES ($1, $2, $3, $4) ON CONFLICT (source) DO "
                   "UPDATE SET rows = excluded.rows, name = excluded.name, at = excluded.at",
                   syncline::postgres::Params{}
                       .add(source)
                       .add(static_cast<std::int64_t>(whole->rows))
                       .add(read.level.snapshot)
                       .add(clock_.now()));
    if (!kept) {
        return std::unexpected(kept.error());
    }
    return whole->rows;
}

core::Result<FilesRead> FileSource::poll(const std::string& source, Basis basis, const FolderRule& rule) {
    std::error_code failed;
    std::vector<fs::path> complete;
    for (auto at = fs::directory_iterator(fs::path(rule.folder), failed); !failed && at != fs::directory_iterator();
         at.increment(failed)) {
        const auto& file = at->path();
        if (file.extension() == extension_of(rule.file) && (rule.by_rename || fs::exists(beside(file, ".done")))) {
            complete.push_back(file);
        }
    }
    if (failed) {
        return std::unexpected(away("the folder cannot be read"));
    }
    std::ranges::sort(complete);
    FilesRead read;
    for (const auto& file : complete) {
        const auto name = file.filename().string();
        const auto rows = publish(source, basis, rule, file);
        if (!rows && rows.error().kind != ErrorKind::rejected) {
            return std::unexpected(rows.error());
        }
        if (!rows) {
            log::failure(log::Level::error, "stock_file_refused", rows.error(), {{"source", source}, {"file", name}});
        }
        const auto reason = rows ? std::string{} : rows.error().code + ": " + rows.error().message;
        if (auto moved = put_away(file, rows ? "done" : "refused", reason); !moved) {
            return std::unexpected(std::move(moved.error()));
        }
        read.taken += rows ? 1 : 0;
        read.refused += rows ? 0 : 1;
        read.rows += rows.value_or(0);
    }
    return read;
}

}  // namespace inventory_sync
