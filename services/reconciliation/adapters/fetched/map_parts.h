// The objects of a fetched order.
#pragma once

#include <syncline/json/document.h>

#include "adapters/fetched/reading.h"

namespace syncline::common::v1 {
class Address;
class PersonalData;
}  // namespace syncline::common::v1
namespace syncline::orders::v1 {
class DiscountApplication;
class Fulfillment;
class OrderLine;
class PaymentTransaction;
class Refund;
class ShippingLine;
class TaxLine;
}  // namespace syncline::orders::v1

namespace reconciliation {

void read_tax(Reading& reading, json::Value from, bool included, syncline::orders::v1::TaxLine& to);
// Properties of the line go to `personal`.
void read_line(Reading& reading, json::Value from, bool taxes_included, syncline::orders::v1::OrderLine& to,
               syncline::common::v1::PersonalData& personal);
void read_shipping_line(Reading& reading, json::Value from, bool taxes_included, syncline::orders::v1::ShippingLine& to);
void read_discount(Reading& reading, json::Value from, syncline::orders::v1::DiscountApplication& to);
void read_fulfillment(Reading& reading, json::Value from, syncline::orders::v1::Fulfillment& to);
void read_transaction(Reading& reading, json::Value from, std::int64_t order_id, syncline::orders::v1::PaymentTransaction& to);
// The note goes to `personal`.
void read_refund(Reading& reading, json::Value from, std::int64_t order_id, syncline::orders::v1::Refund& to,
                 syncline::common::v1::PersonalData& personal);
void read_address(Reading& reading, json::Value from, syncline::common::v1::Address& to);

}  // namespace reconciliation
