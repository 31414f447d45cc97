// Writes the body of one order, or of one thing that happened to it. Internal to bodies.h.
//
// Parts that bodies share are in body_writer.cpp, the order in order_body.cpp, refunds and transactions in refund_body.cpp.
#pragma once

#include <syncline/json/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/order.h"

namespace loadgen {

// "2026-11-27T01:00:00+01:00": the shop's time, whole seconds.
[[nodiscard]] std::string local_time(const Shop& shop, SystemTime time);
[[nodiscard]] std::string gid(std::string_view type, std::uint64_t id);

// One body each: order(), refund() and transaction() take the text away.
class BodyWriter {
public:
    explicit BodyWriter(const Order& order) : order_(order) {}

    std::string order();
    std::string refund(const Refund& refund);
    std::string transaction(const Transaction& transaction);

private:
    [[nodiscard]] std::string shop_text(Amount amount) const;
    [[nodiscard]] std::string presentment_text(Amount amount) const;
    [[nodiscard]] std::string_view gateway() const;
    void optional(std::string_view name, std::string_view text);
    void id_or_null(std::string_view name, std::uint64_t id);
    void time(std::string_view name, const std::optional<SystemTime>& at);
    void set_value(Amount amount);
    void set(std::string_view name, Amount amount);
    void set_or_null(std::string_view name, Amount amount);
    void both(std::string_view name, Amount amount);
    void tax_line(const TaxLine& line);
    void tax_lines(const std::vector<TaxLine>& lines);
    void allocations(const std::vector<Allocation>& allocations);
    void line_item(const Line& line);
    void duty(const Duty& duty);

    void client_details();
    void company();
    void discount_codes();
    [[nodiscard]] Amount allocated(std::size_t application) const;
    void discount_applications();
    void order_tax_lines();
    [[nodiscard]] Amount outstanding(const Totals& totals) const;
    [[nodiscard]] std::int64_t weight() const;
    [[nodiscard]] std::string_view fulfillment_status() const;
    void address(std::string_view name);
    void address_members();
    void customer();
    void shipping_line(const ShippingLine& line);
    void payment_terms();
    void fulfillments();
    void returns();

    void transaction_object(const Transaction& transaction);
    void refund_object(const Refund& refund);
    [[nodiscard]] static bool came_back(const Refund& refund);
    [[nodiscard]] static std::uint64_t return_id_of(const Refund& refund);
    void adjustment(const Refund& refund, std::uint64_t part, std::string_view kind, std::string_view reason, Amount amount,
                    Amount tax);
    void refund_line(const RefundLine& line);

    const Order& order_;
    syncline::json::Writer out_;
};

}  // namespace loadgen
