// Whom a document is for: one contact, created once, and its addresses, each under a key made from its content.
//
// A changed address is a new record, so documents that already stand keep theirs. Guests and addresses are keyed by a keyed hash:
// the external id tells nobody the e-mail. Personal data; lives only as long as one event is handled.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/order.h"
#include "domain/rules.h"

namespace order_export {

enum class AddressUse : std::uint8_t { invoice, delivery };

struct ContactAddress {
    std::string external_name;  // "eu_customer_77_invoice_0f1e2d3c4b5a6978"
    AddressUse use = AddressUse::invoice;
    std::string name;  // Never empty.
    Address address;
};

struct ContactPlan {
    std::string external_name;  // "eu_customer_77", "eu_guest_<keyed hash>", "eu_company_5", "eu_anonymous"
    std::string name;           // Never empty.
    std::string email;          // Trimmed, lower case; empty: none.
    std::string phone;
    std::string language;
    std::uint64_t customer_id = 0;
    bool company = false;
    bool match_email = false;  // An existing record with this e-mail is taken instead of creating one.
    TargetId company_of;       // The target's company.
    std::optional<ContactAddress> invoice;
    std::optional<ContactAddress> delivery;
    std::string hash;
    std::string email_key;  // "email_<keyed hash>": what two buyers with one e-mail share; empty without match_email.
};

// `key` is the secret of the keyed hashes; changing it makes new guests and addresses.
[[nodiscard]] ContactPlan plan_contacts(const Order& order, const Rules& rules, std::string_view key);

// Trimmed, ASCII letters in lower case: what "the same e-mail" means.
[[nodiscard]] std::string normalized_email(std::string_view email);

}  // namespace order_export
