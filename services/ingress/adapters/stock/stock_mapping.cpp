#include "adapters/stock/stock_mapping.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/money.pb.h>
#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/json/document.h>
#include <syncline/topics.h>
#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "adapters/shopify/event_identity.h"

namespace ingress {

namespace core = syncline::core;
namespace json = syncline::json;
namespace topics = syncline::topics;
using namespace syncline::inventory::v1;

namespace {

constexpr int kDepthMax = 8;

syncline::inventory::v1::StockBasis basis_of(StockBasis basis) {
    switch (basis) {
        case StockBasis::net_of_own:
            return STOCK_BASIS_NET_OF_OWN;
        case StockBasis::net_of_all:
            return STOCK_BASIS_NET_OF_ALL;
        case StockBasis::physical:
            break;
    }
    return STOCK_BASIS_PHYSICAL;
}

// The members of a record by their names; absent and null are the same.
enum Member : std::uint8_t { location, sku, unit, observed_at, epoch, quantity, sequence, snapshot_id, id, delta, members };
constexpr std::array<std::string_view, members> kNames{"location", "sku",      "unit",        "observed_at", "epoch",
                                                       "quantity", "sequence", "snapshot_id", "id",          "delta"};
constexpr bool of_report(Member member) {
    return member <= snapshot_id;
}
constexpr bool of_adjustment(Member member) {
    return member <= epoch || member >= id;
}

// One body. Collects faults instead of ending at the first: a sender mends them all at once.
class Body {
public:
    Body(const KnownSource& source, core::SystemTime now, const StockRules& rules) : source_(source), now_(now), rules_(rules) {}

    std::expected<MappedStock, StockRefusal> map(json::Value root) {
        if (!root.is_object()) {
            fault(root, "wrong_type", "should be an object");
            return refused();
        }
        const auto reports = root.get_present("reports");
        const auto adjustments = root.get_present("adjustments");
        if (!reports && !adjustments) {
            single(root);
            return finished();
        }
        for (const auto member : root.members()) {
            if (member.name != "reports" && member.name != "adjustments") {
                unknown(member);
            }
        }
        const auto records = (reports ? reports->size() : 0) + (adjustments ? adjustments->size() : 0);
        if (records > rules_.records_max) {
            fault(root, "batch_too_large", "has more than " + std::to_string(rules_.records_max) + " records");
            kind_ = StockRefusal::Kind::too_large;
            return refused();
        }
        if (reports) {
            each(*reports, [this](json::Value record) { report(record); });
        }
        if (adjustments) {
            each(*adjustments, [this](json::Value record) { adjustment(record); });
        }
        if (records == 0) {
            fault(root, "batch_empty", "has no records: nothing can follow from it");
        }
        return finished();
    }

private:
    using Found = std::array<std::optional<json::Value>, members>;

    [[nodiscard]] bool full() const { return faults_.size() >= kStockFaultsMax; }

    void fault(json::Value where, std::string_view code, std::string_view what) {
        if (full()) {
            more_ = true;
            return;
        }
        faults_.push_back({.at = where.path(), .code = std::string(code), .what = std::string(what)});
    }
    void fault(json::Value where, std::string_view code) { fault(where, code, explain_stock_fault(code)); }

    void unknown(const json::Member& member) {
        fault(member.value, "unknown_member",
              member.name == "basis" ? "is of the source's configuration, not of the body" : "is no member of this object");
    }

    [[nodiscard]] std::unexpected<StockRefusal> refused() {
        return std::unexpected(StockRefusal{.kind = kind_, .faults = std::move(faults_), .more = more_});
    }
    [[nodiscard]] std::expected<MappedStock, StockRefusal> finished() {
        if (!faults_.empty()) {
            return refused();
        }
        return std::move(mapped_);
    }

    template <typename Each>
    void each(json::Value list, Each&& apply) {
        if (!list.is_array()) {
            fault(list, "wrong_type", "should be a list");
            return;
        }
        const auto elements = list.elements();
        for (const auto element : elements) {
            if (full()) {
                more_ = true;
                return;
            }
            apply(element);
        }
    }

    void single(json::Value root) {
        if (root.get_present("delta")) {
            adjustment(root);
        } else if (root.get_present("quantity")) {
            report(root);
        } else {
            fault(root, "member_missing",
                  "a report has `quantity`, an adjustment `delta`, a batch `reports` or `adjustments`; none of them is here");
        }
    }

    // The record's members; false if it is no object at all.
    bool look_through(json::Value record, bool (*allowed)(Member), Found& found) {
        if (!record.is_object()) {
            fault(record, "wrong_type", "should be an object");
            return false;
        }
        for (const auto member : record.members()) {
            const auto at = static_cast<std::size_t>(std::ranges::find(kNames, member.name) - kNames.begin());
            if (at == members || !allowed(static_cast<Member>(at))) {
                unknown(member);
            } else if (!member.value.is_null()) {
                found[at] = member.value;
            }
        }
        return true;
    }

    void text(json::Value record, const Found& found, Member member, std::size_t bytes_max, bool required, std::string* to) {
        const auto& value = found[member];
        if (!value) {
            if (required) {
                fault_missing(record, member);
            }
            return;
        }
        const auto text = value->string();
        if (!text) {
            fault(*value, "wrong_type", "should be a text");
        } else if (const auto code = fault_of_text(*text, bytes_max)) {
            fault(*value, *code);
        } else {
            to->assign(*text);
        }
    }

    void fault_missing(json::Value record, Member member) {
        if (full()) {
            more_ = true;
            return;
        }
        const auto path = record.path();
        faults_.push_back({.at = (path == "$" ? "" : path + ".") + std::string(kNames[member]),
                           .code = "member_missing",
                           .what = "is required"});
    }

    void number(json::Value record, const Found& found, Member member, std::string* to) {
        const auto& value = found[member];
        if (!value) {
            fault_missing(record, member);
            return;
        }
        const auto number = value->decimal();
        if (!number) {
            fault(*value, number.error().code, "should be a number, or a text that holds one");
        } else if (const auto code = fault_of_quantity(*number)) {
            fault(*value, *code);
        } else {
            *to = number->to_string();
        }
    }

    core::SystemTime time(json::Value record, const Found& found) {
        const auto& value = found[observed_at];
        if (!value) {
            fault_missing(record, observed_at);
            return now_;
        }
        const auto text = value->string();
        const auto time = text ? core::parse_rfc3339(*text) : core::Result<core::SystemTime>(std::unexpected(text.error()));
        if (!time) {
            fault(*value, time.error().code, "should be a time of RFC 3339 with its offset, as in 2026-11-20T10:00:00+01:00");
            return now_;
        }
        if (const auto code = fault_of_observed(*time, now_, rules_.clock_skew_max)) {
            fault(*value, *code);
        }
        return *time;
    }

    std::uint64_t sequence_number(const Found& found) {
        const auto& value = found[sequence];
        if (!value) {
            return 0;
        }
        auto number = value->uint64();
        if (value->is_string()) {
            number = core::parse_int<std::uint64_t>(*value->string());
        }
        if (!number) {
            fault(*value, number.error().code, "should be a whole number from 0 on");
            return 0;
        }
        return *number;
    }

    void position(json::Value record, const Found& found, StockPosition& to) {
        to.set_source(source_.name);
        to.set_basis(basis_of(source_.basis));
        text(record, found, location, kLocationBytesMax, true, to.mutable_location());
        text(record, found, sku, kSkuBytesMax, true, to.mutable_sku());
        text(record, found, unit, kUnitBytesMax, false, to.mutable_unit());
    }

    void report(json::Value record) {
        ++mapped_.reports;
        Found found{};
        if (!look_through(record, of_report, found)) {
            return;
        }
        StockReported message;
        position(record, found, *message.mutable_position());
        number(record, found, quantity, message.mutable_quantity()->mutable_value());
        const auto observed = time(record, found);
        set_time(message.mutable_observed_at(), observed);
        text(record, found, epoch, kStockIdBytesMax, false, message.mutable_epoch());
        message.set_sequence(sequence_number(found));
        text(record, found, snapshot_id, kStockIdBytesMax, false, message.mutable_snapshot_id());
        publish(record, message, observed,
                "at\n" + std::to_string(core::nanos_since_epoch(observed)) + '\n' + std::to_string(message.sequence()) + '\n' +
                    message.epoch(),
                "report_ambiguous", "says another level of the same position and time than a record before it");
    }

    void adjustment(json::Value record) {
        ++mapped_.adjustments;
        Found found{};
        if (!look_through(record, of_adjustment, found)) {
            return;
        }
        StockAdjusted message;
        position(record, found, *message.mutable_position());
        number(record, found, delta, message.mutable_delta()->mutable_value());
        const auto observed = time(record, found);
        set_time(message.mutable_observed_at(), observed);
        text(record, found, id, kStockIdBytesMax, true, message.mutable_adjustment_id());
        text(record, found, epoch, kStockIdBytesMax, false, message.mutable_epoch());
        publish(record, message, observed, "id\n" + message.adjustment_id(), "id_reused",
                "has the id of another adjustment of the same position");
    }

    // `identity` and the position make a record the one it is.
    template <typename Message>
    void publish(json::Value record, const Message& message, core::SystemTime observed, std::string identity,
                 std::string_view clash, std::string_view clash_what) {
        if (!faults_.empty()) {
            return;
        }
        const auto& position = message.position();
        MappedEvent event;
        event.topic = topics::inventory;
        event.type = Message::descriptor()->full_name();
        event.key = stock_key(position.source(), position.location(), position.sku());
        message.SerializeToString(&event.value);
        const auto content = core::sha256(event.value);
        const auto [before, first] = seen_.emplace(event.key + '\n' + std::move(identity), content);
        if (!first) {
            if (before->second != content) {
                fault(record, clash, clash_what);
            }
            return;
        }
        event.id = core::uuid_v5(core::kSynclineNamespace,
                                 std::string("stock\n").append(event.type).append("\n").append(core::bytes_of(content)));
        event.subject = "stock/" + event.key;
        event.time = observed;
        event.observed.at = observed;
        mapped_.events.push_back(std::move(event));
    }

    const KnownSource& source_;
    const core::SystemTime now_;
    const StockRules& rules_;
    StockRefusal::Kind kind_ = StockRefusal::Kind::wrong;
    std::vector<StockFault> faults_;
    bool more_ = false;
    std::unordered_map<std::string, core::Digest> seen_;
    MappedStock mapped_;
};

// Error messages of the JSON library begin with the path of the member, if they have one.
std::string path_in(const core::Error& error) {
    return error.code == "duplicate_key" ? error.message.substr(0, error.message.find_first_of(": ")) : "$";
}

}  // namespace

std::expected<MappedStock, StockRefusal> JsonStockMapping::map(const KnownSource& source, std::string body,
                                                               core::SystemTime now) const {
    const auto document = json::Document::parse(std::move(body), {.depth_max = kDepthMax});
    if (!document) {
        const auto& error = document.error();
        return std::unexpected(StockRefusal{.kind = StockRefusal::Kind::unreadable,
                                            .faults = {{.at = path_in(error), .code = error.code, .what = error.message}}});
    }
    return Body(source, now, rules_).map(document->root());
}

}  // namespace ingress
