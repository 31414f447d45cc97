// A mutation whose repetition Shopify recognises: the key and the exact bytes that were first sent under it.
//
//   auto batch = form_set_quantities(QuantityName::on_hand, changes, "gid://syncline/Stock/…");   // stock.h
//   store(batch->serialise());                      // in the transaction that forms the batch
//   auto outcome = set_quantities(admin, *batch, priority, deadline);
//
// Form a batch once, keep it, and send these bytes again, and only these, until its outcome is known. Whatever is computed anew
// (another level, a stale compare, IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED) is a new batch with a new key, also when its values are
// the old ones: stock that goes 5, 3, 5 must arrive three times. Immutable value, any thread.
#pragma once

#include <syncline/core/error.h>
#include <syncline/shopify/operation.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::shopify {

class IdempotentBatch {
public:
    // A new random key. `members` are the variables but $key, as JSON members without braces ("\"input\":{…}").
    [[nodiscard]] static IdempotentBatch form(const Operation& operation, std::string_view members, std::size_t items);
    // What serialise() wrote. Kind malformed, code "batch_malformed", for anything else, also for a byte that was changed.
    [[nodiscard]] static core::Result<IdempotentBatch> parse(std::string_view text);
    // One line of JSON.
    [[nodiscard]] std::string serialise() const;

    [[nodiscard]] const Operation& operation() const { return *operation_; }
    [[nodiscard]] const std::string& key() const { return key_; }
    [[nodiscard]] const Variables& variables() const { return variables_; }

private:
    IdempotentBatch() = default;
    const Operation* operation_ = nullptr;
    std::string key_;
    Variables variables_;
};

// What a sender does with a batch after an error.
enum class BatchFate : std::uint8_t {
    send_again,  // The same bytes: nothing is known, or it was not carried out yet.
    form_anew,   // This key is spent or the compare was stale: read again, form a new batch.
    give_up,     // Never again: a bug, or refused for good.
};
[[nodiscard]] BatchFate fate_of(const core::Error& error);

}  // namespace syncline::shopify
