#include "syncline/shopify/batch.h"

#include <syncline/core/assert.h>
#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/operations.h>
#include <algorithm>

namespace syncline::shopify {
namespace {

constexpr std::int64_t kFormat = 1;

std::string digest_of(std::string_view operation, std::string_view key, std::size_t items, std::string_view variables) {
    core::Sha256 hash;
    const auto count = std::to_string(items);
    for (const auto part : {operation, key, std::string_view(count), variables}) {
        hash.update(part);
        hash.update(std::string_view("\0", 1));
    }
    return core::hex_encode(core::bytes_of(hash.finish()));
}

}  // namespace

std::string_view to_string(Priority priority) {
    switch (priority) {
        case Priority::stock_and_orders:
            return "stock_and_orders";
        case Priority::prices:
            return "prices";
        case Priority::rest:
            return "rest";
    }
    return "rest";
}

const Operation* find_operation(std::string_view name) {
    const auto* const found = std::ranges::find(kOperations, name, [](const Operation* operation) { return operation->name; });
    return found == kOperations.end() ? nullptr : *found;
}

IdempotentBatch IdempotentBatch::form(const Operation& operation, std::string_view members, std::size_t items) {
    SYNCLINE_ASSERT(find_operation(operation.name) != nullptr);
    IdempotentBatch batch;
    batch.operation_ = find_operation(operation.name);
    batch.key_ = core::uuid_v4();
    batch.variables_ = {.json = R"({"key":")" + batch.key_ + '"' + (members.empty() ? "" : ",") + std::string(members) + '}',
                        .items = items};
    return batch;
}

std::string IdempotentBatch::serialise() const {
    json::Writer out;
    out.begin_object()
        .member("format", kFormat)
        .member("operation", std::string(operation_->name))
        .member("key", key_)
        .member("items", std::uint64_t{variables_.items})
        .member("variables", variables_.json)
        .member("sha256", digest_of(operation_->name, key_, variables_.items, variables_.json))
        .end_object();
    return std::move(out).take();
}

core::Result<IdempotentBatch> IdempotentBatch::parse(std::string_view text) {
    const auto malformed = [] {
        return core::fail(core::ErrorKind::malformed, "batch_malformed", "not a stored batch, or one that was changed");
    };
    const auto document = json::Document::parse(std::string(text));
    if (!document) {
        return malformed();
    }
    const auto root = document->root();
    const auto format = root.int64_of("format");
    const auto operation = root.string_of("operation");
    const auto key = root.string_of("key");
    const auto items = root.uint64_of("items");
    const auto variables = root.string_of("variables");
    const auto digest = root.string_of("sha256");
    if (!format || *format != kFormat || !operation || !key || !items || !variables || !digest ||
        *digest != digest_of(*operation, *key, *items, *variables)) {
        return malformed();
    }
    const auto* const known = find_operation(*operation);
    if (known == nullptr) {
        return malformed();
    }
    IdempotentBatch batch;
    batch.operation_ = known;
    batch.key_ = std::string(*key);
    batch.variables_ = {.json = std::string(*variables), .items = *items};
    return batch;
}

BatchFate fate_of(const core::Error& error) {
    using core::ErrorKind;
    if (error.code == "idempotency_previous_attempt_failed" || error.code.ends_with("_stale")) {
        return BatchFate::form_anew;
    }
    switch (error.kind) {
        case ErrorKind::bug:
        case ErrorKind::rejected:
        case ErrorKind::malformed:
        case ErrorKind::mapping_missing:
        case ErrorKind::needs_decision:
            return BatchFate::give_up;
        case ErrorKind::transient:
        case ErrorKind::throttled:
        case ErrorKind::unauthorized:
        case ErrorKind::unknown_outcome:
        case ErrorKind::conflict:
        case ErrorKind::not_ready:
            return BatchFate::send_again;
    }
    return BatchFate::give_up;
}

}  // namespace syncline::shopify
