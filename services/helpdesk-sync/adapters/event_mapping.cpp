#include "adapters/event_mapping.h"

#include <syncline/core/time.h>
#include <utility>

namespace helpdesk_sync {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

std::int64_t nanos(const google::protobuf::Timestamp& time) {
    return time.seconds() * 1'000'000'000 + time.nanos();
}

Result<OrderKey> order_of(const std::string& alias, std::int64_t id) {
    const auto shop = core::parse_shop_alias(alias);
    if (!shop || id <= 0) {
        return fail(ErrorKind::malformed, "context_malformed", "the event names no shop or order");
    }
    return OrderKey{.shop = *shop, .id = core::OrderId(static_cast<std::uint64_t>(id))};
}

Result<Statement> base(const exports_v1::ExportContext& context, const kit::EventHeaders& headers, StatementKind kind) {
    auto order = order_of(context.shop(), context.order_id());
    if (!order) {
        return std::unexpected(std::move(order.error()));
    }
    if (context.connection().empty()) {
        return fail(ErrorKind::malformed, "context_malformed", "the event names no connection");
    }
    return Statement{.kind = kind,
                     .order = std::move(*order),
                     .connection = context.connection(),
                     .version = {.updated_ns = nanos(context.source_updated_at()),
                                 .observed_ns = nanos(context.observed_at()),
                                 .said_ns = core::nanos_since_epoch(headers.time)},
                     .subject = {},
                     .code = {},
                     .waits_for = {},
                     .document_state = {}};
}

template <typename Event>
Result<Statement> about_refund(const Event& event, const kit::EventHeaders& headers, StatementKind kind) {
    auto said = base(event.context(), headers, kind);
    if (said && event.refund_id() <= 0) {
        return fail(ErrorKind::malformed, "refund_missing", "the event names no refund");
    }
    if (said) {
        said->subject = "refund/" + std::to_string(event.refund_id());
    }
    return said;
}

helpdesk_v1::Trouble to_event(Trouble trouble) {
    switch (trouble) {
        case Trouble::order_held:
            return helpdesk_v1::TROUBLE_ORDER_HELD;
        case Trouble::order_failed:
            return helpdesk_v1::TROUBLE_ORDER_FAILED;
        case Trouble::refund_held:
            return helpdesk_v1::TROUBLE_REFUND_HELD;
        case Trouble::refund_failed:
            return helpdesk_v1::TROUBLE_REFUND_FAILED;
    }
    return helpdesk_v1::TROUBLE_UNSPECIFIED;
}

std::optional<Trouble> from_event(helpdesk_v1::Trouble trouble) {
    switch (trouble) {
        case helpdesk_v1::TROUBLE_ORDER_HELD:
            return Trouble::order_held;
        case helpdesk_v1::TROUBLE_ORDER_FAILED:
            return Trouble::order_failed;
        case helpdesk_v1::TROUBLE_REFUND_HELD:
            return Trouble::refund_held;
        case helpdesk_v1::TROUBLE_REFUND_FAILED:
            return Trouble::refund_failed;
        default:
            return std::nullopt;
    }
}

}  // namespace

Result<Statement> said_by(const exports_v1::OrderExported& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::exported);
    if (said) {
        said->document_state = event.document().state();
    }
    return said;
}

Result<Statement> said_by(const exports_v1::OrderExportHeld& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::held);
    if (said) {
        said->subject = event.subject();
        said->code = event.code();
        said->waits_for = event.waits_for();
    }
    return said;
}

Result<Statement> said_by(const exports_v1::OrderExportFailed& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::failed);
    if (said) {
        said->code = event.code();
    }
    return said;
}

Result<Statement> said_by(const exports_v1::RefundExported& event, const kit::EventHeaders& headers) {
    return about_refund(event, headers, StatementKind::refund_exported);
}

Result<Statement> said_by(const exports_v1::RefundExportHeld& event, const kit::EventHeaders& headers) {
    auto said = about_refund(event, headers, StatementKind::refund_held);
    if (said) {
        said->code = event.code();
        said->waits_for = event.waits_for();
    }
    return said;
}

Result<Statement> said_by(const exports_v1::RefundExportFailed& event, const kit::EventHeaders& headers) {
    auto said = about_refund(event, headers, StatementKind::refund_failed);
    if (said) {
        said->code = event.code();
    }
    return said;
}

Result<Statement> said_by(const exports_v1::ExportHoldEnded& event, const kit::EventHeaders& headers) {
    auto said = base(event.context(), headers, StatementKind::hold_ended);
    if (said) {
        said->subject = event.subject();
    }
    return said;
}

helpdesk_v1::CauseChanged changed_event(const std::string& helpdesk, const Cause& cause, const OrderKey& order) {
    helpdesk_v1::CauseChanged event;
    event.set_helpdesk(helpdesk);
    event.set_shop(order.shop.value());
    event.set_order_id(static_cast<std::int64_t>(order.id.value()));
    auto& told = *event.mutable_cause();
    told.set_connection(cause.connection);
    told.set_trouble(to_event(cause.trouble));
    told.set_code(cause.code);
    told.set_waits_for(cause.waits_for);
    return event;
}

Result<Touched> touched_by(const helpdesk_v1::CauseChanged& event) {
    auto order = order_of(event.shop(), event.order_id());
    if (!order) {
        return std::unexpected(std::move(order.error()));
    }
    const auto trouble = from_event(event.cause().trouble());
    if (!trouble || event.cause().connection().empty() || event.cause().code().empty()) {
        return fail(ErrorKind::malformed, "cause_malformed", "the event names no cause");
    }
    return Touched{.cause = {.connection = event.cause().connection(),
                             .trouble = *trouble,
                             .code = event.cause().code(),
                             .waits_for = event.cause().waits_for()},
                   .order = std::move(*order)};
}

}  // namespace helpdesk_sync
