#include "adapters/status_text.h"

#include <syncline/json/document.h>
#include <syncline/json/writer.h>

namespace order_status {
namespace {

namespace json = syncline::json;

void write(json::Writer& out, std::string_view name, const StatementVersion& version) {
    out.key(name).begin_array().integer(version.updated_ns).integer(version.observed_ns).integer(version.said_ns).end_array();
}

void write(json::Writer& out, std::string_view name, const Stand& stand) {
    out.key(name).begin_object();
    write(out, "version", stand.version);
    out.member("standing", to_string(stand.standing)).member("reason", stand.reason).end_object();
}

std::string text_in(const json::Value& value, std::string_view name) {
    const auto member = value.get_present(name);
    const auto text = member ? member->string() : core::Result<std::string_view>(std::string_view());
    return std::string(text.value_or(std::string_view()));
}

StatementVersion version_in(const json::Value& value, std::string_view name) {
    StatementVersion version;
    const auto list = value.get_present(name);
    if (!list || list->size() != 3) {
        return version;
    }
    auto element = list->elements().begin();
    for (auto* part : {&version.updated_ns, &version.observed_ns, &version.said_ns}) {
        *part = (*element).int64().value_or(0);
        ++element;
    }
    return version;
}

Stand stand_in(const json::Value& value) {
    return {.version = version_in(value, "version"),
            .standing = standing_from(text_in(value, "standing")),
            .reason = text_in(value, "reason")};
}

}  // namespace

std::string text_of(const ConnectionStatus& status) {
    json::Writer out;
    out.begin_object();
    write(out, "order", status.order);
    out.key("others").begin_object();
    for (const auto& [subject, stand] : status.others) {
        write(out, subject, stand);
    }
    out.end_object();
    write(out, "document_version", status.document_version);
    out.key("document")
        .begin_object()
        .member("reference", status.document.reference)
        .member("name", status.document.name)
        .member("state", status.document.state)
        .end_object();
    write(out, "progress_version", status.progress_version);
    out.member("invoicing", status.invoicing).member("delivery", status.delivery);
    out.key("shown").begin_object();
    for (const auto& [field, value] : status.shown) {
        out.member(field, value);
    }
    out.end_object().end_object();
    return std::move(out).take();
}

core::Result<ConnectionStatus> status_from(std::string_view text) {
    const auto document = json::Document::parse(std::string(text));
    if (!document || !document->root().is_object()) {
        return core::fail(core::ErrorKind::bug, "status_unreadable", "a kept status is no JSON object");
    }
    const auto root = document->root();
    ConnectionStatus status;
    if (const auto order = root.get_present("order")) {
        status.order = stand_in(*order);
    }
    if (const auto others = root.get_present("others")) {
        for (const auto member : others->members()) {
            status.others.emplace(member.name, stand_in(member.value));
        }
    }
    status.document_version = version_in(root, "document_version");
    if (const auto kept = root.get_present("document")) {
        status.document = {
            .reference = text_in(*kept, "reference"), .name = text_in(*kept, "name"), .state = text_in(*kept, "state")};
    }
    status.progress_version = version_in(root, "progress_version");
    status.invoicing = text_in(root, "invoicing");
    status.delivery = text_in(root, "delivery");
    if (const auto shown = root.get_present("shown")) {
        for (const auto member : shown->members()) {
            status.shown.emplace(member.name, std::string(member.value.string().value_or(std::string_view())));
        }
    }
    return status;
}

}  // namespace order_status
