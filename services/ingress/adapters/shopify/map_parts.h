// The objects that bodies of several topics share.
#pragma once

#include <syncline/json/document.h>
#include <string>

#include "adapters/shopify/members.h"

namespace syncline::orders::v1 {
class DiscountAllocation;
class Duty;
class Fulfillment;
class OrderLine;
class PaymentTransaction;
class Refund;
class ShippingLine;
class TaxLine;
enum FulfillmentStatus : int;
}  // namespace syncline::orders::v1
namespace syncline::common::v1 {
class Address;
class Attribute;
class Person;
}  // namespace syncline::common::v1

namespace ingress {

void map_tax_line(Mapping& mapping, syncline::orders::v1::TaxLine& to, syncline::json::Value from);
void map_duty(Mapping& mapping, syncline::orders::v1::Duty& to, syncline::json::Value from);
void map_discount_allocation(Mapping& mapping, syncline::orders::v1::DiscountAllocation& to, syncline::json::Value from);
// Properties of the line go to the envelope.
void map_order_line(Mapping& mapping, syncline::orders::v1::OrderLine& to, syncline::json::Value from);
void map_shipping_line(Mapping& mapping, syncline::orders::v1::ShippingLine& to, syncline::json::Value from);
void map_fulfillment(Mapping& mapping, syncline::orders::v1::Fulfillment& to, syncline::json::Value from);
void map_transaction(Mapping& mapping, syncline::orders::v1::PaymentTransaction& to, syncline::json::Value from);
// The refund's note goes to the envelope. A refund and its transactions without an order id take `order_id` (0: then it is
// missing).
void map_refund(Mapping& mapping, syncline::orders::v1::Refund& to, syncline::json::Value from, std::int64_t order_id);

void map_address(Mapping& mapping, syncline::common::v1::Address& to, syncline::json::Value from);
// {"name": …, "value": …}; a value that is no text is kept as its JSON text.
void map_attribute(Mapping& mapping, syncline::common::v1::Attribute& to, syncline::json::Value from);

// null is "unfulfilled".
[[nodiscard]] syncline::orders::v1::FulfillmentStatus fulfillment_status_from(Mapping& mapping, syncline::json::Value object);

}  // namespace ingress
