#include "adapters/order_text.h"

#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>

namespace inventory_sync {
namespace {

namespace json = syncline::json;

void write(json::Writer& out, const SnapshotVersion& version) {
    out.begin_array().integer(version.updated_ns).integer(version.observed_ns).boolean(version.fetched).end_array();
}

// The parts of an array, each read strictly; what does not fit makes the whole malformed.
class Parts {
public:
    explicit Parts(const json::Value& value) {
        for (const auto part : value.elements()) {
            parts_.push_back(part);
        }
    }
    std::int64_t number(std::size_t index) {
        const auto value = index < parts_.size() ? parts_[index].int64() : missing<std::int64_t>();
        good_ = good_ && value.has_value();
        return value.value_or(0);
    }
    bool flag(std::size_t index) {
        const auto value = index < parts_.size() ? parts_[index].boolean() : missing<bool>();
        good_ = good_ && value.has_value();
        return value.value_or(false);
    }
    std::string text(std::size_t index) {
        const auto value = index < parts_.size() ? parts_[index].string() : missing<std::string_view>();
        good_ = good_ && value.has_value();
        return std::string(value.value_or(""));
    }
    [[nodiscard]] bool good() const { return good_; }

private:
    template <typename T>
    static core::Result<T> missing() {
        return core::fail(core::ErrorKind::bug, "order_text_malformed", "a part is missing");
    }
    std::vector<json::Value> parts_;
    bool good_ = true;
};

bool read(const json::Value& value, SnapshotVersion& version) {
    Parts parts(value);
    version = {.updated_ns = parts.number(0), .observed_ns = parts.number(1), .fetched = parts.flag(2)};
    return parts.good();
}

bool read(const json::Value& value, Fulfillment& fulfillment) {
    const auto head = value.get("f");
    const auto version = value.get("v");
    const auto lines = value.get("l");
    if (!head || !version || !lines || !read(*version, fulfillment.version)) {
        return false;
    }
    Parts parts(*head);
    fulfillment.id = parts.number(0);
    fulfillment.location = parts.number(1);
    fulfillment.cancelled = parts.flag(2);
    fulfillment.at = core::time_from_nanos(parts.number(3));
    fulfillment.in_order = parts.flag(4);
    bool good = parts.good();
    for (const auto line : lines->elements()) {
        Parts cells(line);
        fulfillment.lines.push_back({.line = cells.number(0), .sku = cells.text(1), .quantity = cells.number(2)});
        good = good && cells.good();
    }
    return good;
}

}  // namespace

std::string text_of(const OrderState& state) {
    json::Writer out;
    out.begin_object();
    if (state.version) {
        out.key("v");
        write(out, *state.version);
    }
    out.key("placed").integer(core::nanos_since_epoch(state.placed)).member("located", state.located);
    if (state.deletion != Deletion::none) {
        out.member("deletion", static_cast<std::int64_t>(state.deletion));
    }
    out.key("lines").begin_array();
    for (const auto& line : state.lines) {
        out.begin_array().integer(line.line).string(line.sku).integer(line.open).integer(line.ordered).end_array();
    }
    out.end_array().key("places").begin_array();
    for (const auto& place : state.places) {
        out.begin_array().integer(place.line).integer(place.location).integer(place.quantity).end_array();
    }
    out.end_array().key("fulfillments").begin_array();
    for (const auto& [id, fulfillment] : state.fulfillments) {
        out.begin_object().key("f").begin_array().integer(id).integer(fulfillment.location).boolean(fulfillment.cancelled);
        out.integer(core::nanos_since_epoch(fulfillment.at)).boolean(fulfillment.in_order).end_array().key("v");
        write(out, fulfillment.version);
        out.key("l").begin_array();
        for (const auto& line : fulfillment.lines) {
            out.begin_array().integer(line.line).string(line.sku).integer(line.quantity).end_array();
        }
        out.end_array().end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

core::Result<OrderState> order_from(const OrderKey& key, std::string_view text) {
    const auto malformed = [] {
        return core::fail(core::ErrorKind::bug, "order_text_malformed", "the kept state of an order cannot be read");
    };
    const auto document = json::Document::parse(std::string(text), {.depth_max = 8, .bytes_max = 256UL * 1024 * 1024});
    if (!document) {
        return malformed();
    }
    const auto root = document->root();
    OrderState state;
    state.key = key;
    bool good = true;
    if (const auto version = root.get("v")) {
        SnapshotVersion read_version;
        good = read(*version, read_version);
        state.version = read_version;
    }
    const auto placed = root.int64_of("placed");
    const auto located = root.boolean_of("located");
    const auto lines = root.get("lines");
    const auto places = root.get("places");
    const auto fulfillments = root.get("fulfillments");
    if (!placed || !located || !lines || !places || !fulfillments) {
        return malformed();
    }
    state.placed = core::time_from_nanos(*placed);
    state.located = *located;
    if (const auto deletion = root.get("deletion")) {
        const auto value = deletion->int64();
        if (!value || *value < 1 || *value > 2) {
            return malformed();
        }
        state.deletion = static_cast<Deletion>(*value);
    }
    for (const auto line : lines->elements()) {
        Parts cells(line);
        state.lines.push_back(
            {.line = cells.number(0), .sku = cells.text(1), .open = cells.number(2), .ordered = cells.number(3)});
        good = good && cells.good();
    }
    for (const auto place : places->elements()) {
        Parts cells(place);
        state.places.push_back({.line = cells.number(0), .location = cells.number(1), .quantity = cells.number(2)});
        good = good && cells.good();
    }
    for (const auto value : fulfillments->elements()) {
        Fulfillment fulfillment;
        good = good && read(value, fulfillment);
        const auto id = fulfillment.id;
        state.fulfillments.emplace(id, std::move(fulfillment));
    }
    if (!good) {
        return malformed();
    }
    return state;
}

}  // namespace inventory_sync
