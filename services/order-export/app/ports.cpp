#include "app/ports.h"

#include <algorithm>
#include <array>

namespace order_export {
namespace {

constexpr std::array<std::pair<DocumentState, std::string_view>, 6> kStates{{
    {DocumentState::none, "none"},
    {DocumentState::excluded, "excluded"},
    {DocumentState::cancelled_before_export, "cancelled_before_export"},
    {DocumentState::quotation, "quotation"},
    {DocumentState::confirmed, "confirmed"},
    {DocumentState::cancelled, "cancelled"},
}};

}  // namespace

std::string_view to_string(DocumentState state) {
    return std::ranges::find_if(kStates, [&](const auto& s) { return s.first == state; })->second;
}

DocumentState document_state_from(std::string_view name) {
    const auto found = std::ranges::find_if(kStates, [&](const auto& s) { return s.second == name; });
    return found == kStates.end() ? DocumentState::none : found->first;
}

const RefundEntry* LedgerEntry::refund(core::RefundId id) const {
    const auto found = std::ranges::find_if(refunds, [&](const RefundEntry& entry) { return entry.id == id; });
    return found == refunds.end() ? nullptr : &*found;
}

}  // namespace order_export
