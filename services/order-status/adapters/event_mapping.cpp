#include "adapters/event_mapping.h"

#include <syncline/core/time.h>

namespace order_status {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

std::int64_t nanos(const google::protobuf::Timestamp& time) {
    return time.seconds() * 1'000'000'000 + time.nanos();
}

Result<Said> base(const exports_v1::ExportContext& context, const kit::EventHeaders& headers, StatementKind kind) {
    const auto shop = core::parse_shop_alias(context.shop());
    if (!shop || context.order_id() <= 0 || context.connection().empty()) {
        return fail(ErrorKind::malformed, "context_malformed", "the event names no shop, order or connection");
    }
    return Said{.key = {.shop = *shop, .id = core::OrderId(static_cast<std::uint64_t>(context.order_id()))},
                .connection = context.connection(),
                .statement = {.kind = kind,
                              .version = {.updated_ns = nanos(context.source_updated_at()),
                                          .observed_ns = nanos(context.observed_at()),
                                          .said_ns = core::nanos_since_epoch(headers.time)}}};
}

Result<Said> about_refund(Result<Said> said, std::int64_t refund) {
    if (said && refund <= 0) {
        return fail(ErrorKind::malformed, "refund_missing", "the event names no refund");
    }
    if (said) {
        said->statement.subject = "refund/" + std::to_string(refund);
    }
    return said;
}

TargetDocument document_from(const exports_v1::DocumentReference& document) {
    return {.reference = document.target_id(), .name = document.name(), .state = document.state()};
}

}  // namespace

Result<Said> said_by(const exports_v1::OrderExported& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::exported);
    if (said) {
        said->statement.document = document_from(event.document());
    }
    return said;
}

Result<Said> said_by(const exports_v1::OrderExportHeld& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::held);
    if (said) {
        said->statement.code = event.code();
        said->statement.waits_for = event.waits_for();
        said->statement.subject = event.subject();
    }
    return said;
}

Result<Said> said_by(const exports_v1::OrderExportFailed& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::failed);
    if (said) {
        said->statement.code = event.code();
    }
    return said;
}

Result<Said> said_by(const exports_v1::RefundExported& event, const kit::EventHeaders& headers) {
    return about_refund(base(event.context(), headers, StatementKind::refund_exported), event.refund_id());
}

Result<Said> said_by(const exports_v1::RefundExportHeld& event, const kit::EventHeaders& headers) {
    auto said = about_refund(base(event.context(), headers, StatementKind::refund_held), event.refund_id());
    if (said) {
        said->statement.code = event.code();
        said->statement.waits_for = event.waits_for();
    }
    return said;
}

Result<Said> said_by(const exports_v1::ExportHoldEnded& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::hold_ended);
    if (said) {
        said->statement.subject = event.subject();
    }
    return said;
}

Result<Said> said_by(const exports_v1::DocumentStateChanged& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::document_changed);
    if (said) {
        said->statement.document = document_from(event.document());
        said->statement.invoicing = event.invoicing();
        said->statement.delivery = event.delivery();
    }
    return said;
}

}  // namespace order_status
