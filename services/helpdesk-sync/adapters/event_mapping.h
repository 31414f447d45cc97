// Protobuf to domain and back: the only file that sees both. Pure; an event without shop, order or connection is kind malformed.
#pragma once

#include <syncline/core/error.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/helpdesk/v1/events.pb.h>
#include <syncline/kit/delivery.h>

#include "domain/trouble.h"

namespace helpdesk_sync {

namespace exports_v1 = syncline::exports::v1;
namespace helpdesk_v1 = syncline::helpdesk::v1;
namespace kit = syncline::kit;

[[nodiscard]] core::Result<Statement> said_by(const exports_v1::OrderExported& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::OrderExportHeld& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::OrderExportFailed& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::RefundExported& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::RefundExportHeld& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::RefundExportFailed& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Statement> said_by(const exports_v1::ExportHoldEnded& event, const kit::EventHeaders& headers);

struct Touched {
    Cause cause;
    OrderKey order;
};
[[nodiscard]] helpdesk_v1::CauseChanged changed_event(const std::string& helpdesk, const Cause& cause, const OrderKey& order);
[[nodiscard]] core::Result<Touched> touched_by(const helpdesk_v1::CauseChanged& event);

}  // namespace helpdesk_sync
