// Protobuf to domain: the only file that sees both. Pure; an event without shop, order or connection is kind malformed.
#pragma once

#include <syncline/core/error.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/delivery.h>

#include "domain/status.h"

namespace order_status {

namespace exports_v1 = syncline::exports::v1;
namespace kit = syncline::kit;

struct Said {
    OrderKey key;
    std::string connection;
    Statement statement;
};

[[nodiscard]] core::Result<Said> said_by(const exports_v1::OrderExported& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::OrderExportHeld& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::OrderExportFailed& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::RefundExported& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::RefundExportHeld& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::ExportHoldEnded& event, const kit::EventHeaders& headers);
[[nodiscard]] core::Result<Said> said_by(const exports_v1::DocumentStateChanged& event, const kit::EventHeaders& headers);

}  // namespace order_status
