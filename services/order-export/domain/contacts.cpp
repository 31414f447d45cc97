#include "domain/contacts.h"

#include <syncline/core/hash.h>

#include "domain/export_plan.h"

namespace order_export {
namespace {

std::string keyed_hash(std::string_view key, std::string_view text) {
    const auto digest = core::hmac_sha256(key, text);
    return core::hex_encode(core::bytes_of(digest).substr(0, 16));
}

std::string full_name(std::string_view first, std::string_view last) {
    std::string name(first);
    if (!first.empty() && !last.empty()) {
        name += ' ';
    }
    name += last;
    return name;
}

std::string content_of(const Address& a) {
    std::string content;
    for (const auto* part : {&a.first_name, &a.last_name, &a.company, &a.address1, &a.address2, &a.city, &a.zip, &a.province_code,
                             &a.country_code, &a.phone}) {
        content += std::to_string(part->size()) + ":" + *part;
    }
    return content;
}

std::optional<ContactAddress> address_of(const ContactPlan& contact, const std::optional<Address>& address, AddressUse use,
                                         std::string_view key) {
    if (!address || address->empty()) {
        return std::nullopt;
    }
    const auto word = use == AddressUse::invoice ? "_invoice_" : "_delivery_";
    auto name = full_name(address->first_name, address->last_name);
    if (!address->company.empty()) {
        name = name.empty() ? address->company : address->company + ", " + name;
    }
    return ContactAddress{.external_name = contact.external_name + word + keyed_hash(key, content_of(*address)).substr(0, 16),
                          .use = use,
                          .name = line_name(name, contact.name),
                          .address = *address};
}

}  // namespace

std::string normalized_email(std::string_view email) {
    const auto first = email.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    email = email.substr(first, email.find_last_not_of(" \t\r\n") - first + 1);
    std::string lower(email);
    for (char& c : lower) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return lower;
}

ContactPlan plan_contacts(const Order& order, const Rules& rules, std::string_view key) {
    const auto& buyer = order.buyer;
    const auto& shop = order.key.shop.value();
    ContactPlan contact;
    contact.email = normalized_email(buyer.email);
    contact.phone = buyer.phone;
    contact.language = shop_of(rules, order.key.shop).language;
    contact.company_of = shop_of(rules, order.key.shop).company;
    contact.customer_id = buyer.customer_id;
    auto name = full_name(buyer.first_name, buyer.last_name);
    for (const auto* address : {&buyer.billing, &buyer.shipping}) {
        if (name.empty() && *address) {
            name = full_name((*address)->first_name, (*address)->last_name);
        }
    }
    if (buyer.company_id != 0) {
        contact.external_name = shop + "_company_" + std::to_string(buyer.company_id);
        contact.company = true;
        for (const auto* address : {&buyer.billing, &buyer.shipping}) {
            if (*address && !(*address)->company.empty()) {
                name = (*address)->company;
                break;
            }
        }
        // The e-mail is the buyer's, not the company's.
        contact.email.clear();
    } else if (buyer.customer_id != 0) {
        contact.external_name = shop + "_customer_" + std::to_string(buyer.customer_id);
    } else if (!contact.email.empty()) {
        contact.external_name = shop + "_guest_" + keyed_hash(key, contact.email);
    } else if (!contact.phone.empty()) {
        contact.external_name = shop + "_guest_" + keyed_hash(key, "phone:" + contact.phone);
    } else {
        // Nothing tells two such buyers apart: one record for all of them, without addresses of its own name.
        contact.external_name = shop + "_anonymous";
        name = "Customer without contact (" + shop + ")";
    }
    contact.match_email = rules.match_email && !contact.email.empty() && !contact.company;
    if (contact.match_email) {
        contact.email_key = "email_" + keyed_hash(key, contact.email);
    }
    contact.name = line_name(name, contact.email.empty() ? "Customer " + std::to_string(buyer.customer_id) : contact.email);
    contact.invoice = address_of(contact, buyer.billing ? buyer.billing : buyer.shipping, AddressUse::invoice, key);
    contact.delivery = address_of(contact, buyer.shipping ? buyer.shipping : buyer.billing, AddressUse::delivery, key);
    const auto digest = core::sha256(contact.external_name + "|" + (contact.invoice ? contact.invoice->external_name : "") + "|" +
                                     (contact.delivery ? contact.delivery->external_name : ""));
    contact.hash = core::hex_encode(core::bytes_of(digest).substr(0, 12));
    return contact;
}

}  // namespace order_export
