#include "adapters/odoo_parties.h"

#include <syncline/json/writer.h>

#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

namespace json = syncline::json;
using core::ErrorKind;
using core::Result;

}  // namespace

Result<std::optional<TargetId>> OdooParties::find(const ContactPlan& contact, const core::Deadline& deadline) {
    auto known = external_ids_.find("res.partner", contact.external_name, deadline);
    if (!known || *known || !contact.match_email) {
        return known;
    }
    // `=` is case-sensitive and `=ilike` has wildcards; email_normalized is lower case already.
    auto found = odoo_.find({.model = "res.partner",
                             .scope = scope_of(contact.company_of),
                             .field = "email_normalized",
                             .value = contact.email,
                             .fields = {"id"},
                             .domain = R"(["parent_id","=",false])"},
                            deadline);
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    return id_in(*found, "id");
}

Result<std::string> OdooParties::state_id(const std::string& country, const std::string& province,
                                          const core::Deadline& deadline) {
    if (country.empty() || province.empty()) {
        return std::string{};
    }
    const auto key = country + "/" + province;
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = states_.find(key); known != states_.end()) {
            return known->second;
        }
    }
    json::Writer domain;
    domain.begin_array().string("country_id.code").string("=").string(country).end_array();
    auto found = odoo_.find({.model = "res.country.state",
                             .scope = {},
                             .field = "code",
                             .value = province,
                             .fields = {"id"},
                             .domain = std::move(domain).take()},
                            deadline);
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    const auto id = id_in(*found, "id").value_or("");
    const std::lock_guard lock(mutex_);
    if (states_.size() < 10'000) {
        states_.emplace(key, id);
    }
    return id;
}

Result<ErpContacts> OdooParties::create_once(const ContactPlan& contact, const std::optional<TargetId>& existing,
                                             const kit::Lease& lease) {
    const core::Deadline deadline(clock_, lease.until());
    odoo::LoadRequest request{.model = "res.partner", .scope = scope_of(contact.company_of)};
    request.context = R"("no_vat_validation":true)";
    request.columns = {"id",     "name",    "email", "phone", "is_company", "type",
                       "street", "street2", "city",  "zip",   "country_id", "state_id/.id"};
    // Below an existing record by its id, below one of the same call by its external id.
    request.columns.emplace_back(existing ? "parent_id/.id" : "parent_id/id");
    const bool with_language = !contact.language.empty();
    if (with_language) {
        request.columns.emplace_back("lang");
    }
    const auto finish = [&](odoo::Row row, std::string parent) {
        row.push_back(std::move(parent));
        if (with_language) {
            row.push_back(contact.language);
        }
        request.records.push_back({std::move(row)});
    };
    if (!existing) {
        finish({external_id(contact.external_name), contact.name, contact.email, contact.phone, contact.company ? "1" : "0",
                "contact", "", "", "", "", "", ""},
               "");
    }
    for (const auto* address : {&contact.invoice, &contact.delivery}) {
        if (!*address) {
            continue;
        }
        const auto& a = (*address)->address;
        auto state = state_id(a.country_code, a.province_code, deadline);
        if (!state) {
            return std::unexpected(std::move(state.error()));
        }
        finish({external_id((*address)->external_name), (*address)->name, "", a.phone, "0",
                (*address)->use == AddressUse::invoice ? "invoice" : "delivery", a.address1, a.address2, a.city, a.zip,
                a.country_code, std::move(*state)},
               existing ? *existing : external_id(contact.external_name));
    }
    std::vector<std::int64_t> ids;
    if (!request.records.empty()) {
        auto loaded = odoo_.create_once(std::move(request), lease.until());
        if (!loaded) {
            return std::unexpected(std::move(loaded.error()));
        }
        ids = std::move(*loaded);
    }
    std::size_t next = 0;
    ErpContacts contacts;
    contacts.contact = existing ? *existing : std::to_string(ids[next++]);
    contacts.invoice = contact.invoice ? std::to_string(ids[next++]) : contacts.contact;
    contacts.delivery = contact.delivery ? std::to_string(ids[next]) : contacts.contact;
    return contacts;
}

}  // namespace order_export
