#include "adapters/odoo_external_ids.h"

#include <syncline/json/writer.h>

#include "adapters/odoo_fields.h"

namespace order_export {

namespace json = syncline::json;
using core::Result;

Result<std::optional<TargetId>> OdooExternalIds::find(const std::string& model, const std::string& name,
                                                      const core::Deadline& deadline) {
    if (!limited_) {
        auto found = odoo_.find({.model = "ir.model.data",
                                 .scope = {},
                                 .field = "name",
                                 .value = name,
                                 .fields = {"res_id"},
                                 .domain = R"(["module","=","syncline"],["model","=",")" + model + R"("])"},
                                deadline);
        if (found) {
            return id_in(*found, "res_id");
        }
        if (found.error().code != "rights_missing") {
            return std::unexpected(std::move(found.error()));
        }
        limited_ = true;
    }
    json::Writer params;
    params.begin_object().member("module", kModule).member("xml_id", name).end_object();
    const auto answer =
        odoo_.call({.model = "ir.model.data", .method = "check_object_reference", .params = std::move(params).take()}, deadline);
    if (!answer) {
        // "External ID not found" is a ValueError.
        if (answer.error().code == "value_refused" || answer.error().code == "document_vanished") {
            return std::optional<TargetId>{};
        }
        return std::unexpected(answer.error());
    }
    if (answer->value() && answer->value()->size() == 2) {
        auto element = answer->value()->elements().begin();
        ++element;
        if (const auto id = (*element).int64(); id && *id > 0) {
            return std::to_string(*id);
        }
    }
    return std::optional<TargetId>{};
}

}  // namespace order_export
