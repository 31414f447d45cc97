#include <google/protobuf/descriptor.h>

#include <syncline/common/v1/dead_letter_action.pb.h>
#include <syncline/customers/v1/events.pb.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/fulfillments/v1/events.pb.h>
#include <syncline/helpdesk/v1/events.pb.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/reconciliation/v1/events.pb.h>
#include <syncline/shops/v1/events.pb.h>
#include <syncline/topics.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using namespace syncline;

namespace {

// Naming one message of each file keeps the linker from dropping the file's descriptors.
const google::protobuf::DescriptorPool& contract() {
    orders::v1::OrderChanged::descriptor();
    customers::v1::CustomerDataRequested::descriptor();
    shops::v1::AppUninstalled::descriptor();
    exports::v1::OrderExported::descriptor();
    inventory::v1::StockReported::descriptor();
    fulfillments::v1::FulfillmentChanged::descriptor();
    helpdesk::v1::CauseChanged::descriptor();
    reconciliation::v1::StockDivergenceDetected::descriptor();
    common::v1::DeadLetterAction::descriptor();
    return *google::protobuf::DescriptorPool::generated_pool();
}

void collect_clear_text(const google::protobuf::Descriptor& type, std::set<std::string>& seen) {
    if (!seen.insert(type.full_name()).second || type.full_name() == "syncline.common.v1.PersonalDataEnvelope") {
        return;
    }
    for (int i = 0; i < type.field_count(); ++i) {
        if (const auto* part = type.field(i)->message_type()) {
            collect_clear_text(*part, seen);
        }
    }
}

}  // namespace

TEST_CASE("topics: every type of the list is a message of the contract", "[contract][unit]") {
    for (const auto& topic : topics::all) {
        for (const auto& type : topic.types) {
            INFO(topic.name << " carries " << type.name);
            CHECK(contract().FindMessageTypeByName(std::string(type.name)) != nullptr);
        }
    }
}

TEST_CASE("topics: a type that is not listed may not be carried", "[contract][unit]") {
    const auto* orders = topics::find(topics::orders);
    REQUIRE(orders != nullptr);
    CHECK_FALSE(orders->may_carry("syncline.exports.v1.OrderExported"));
    CHECK_FALSE(orders->may_carry("syncline.orders.v1.Order"));
    CHECK(orders->may_carry("syncline.orders.v1.OrderChanged"));
    CHECK(topics::find("orders.v2") == nullptr);
}

TEST_CASE("topics: a dead letter with its diagnosis fits beside the largest record of any topic", "[contract][unit]") {
    const auto* dead = topics::find(topics::dead_letters);
    REQUIRE(dead != nullptr);
    for (const auto& topic : topics::all) {
        INFO(topic.name);
        if (topic.name != dead->name) {
            CHECK(topic.max_message_bytes + 512 * 1024 <= dead->max_message_bytes);
        }
        CHECK((topic.cleanup == topics::Cleanup::drop_old || topic.types.size() == 1));
    }
    CHECK(dead->may_carry("syncline.orders.v1.OrderChanged"));
}

TEST_CASE("contract: personal data is reachable from an event only through its envelope", "[contract][unit]") {
    for (const auto& topic : topics::all) {
        for (const auto& type : topic.types) {
            std::set<std::string> reachable;
            collect_clear_text(*contract().FindMessageTypeByName(std::string(type.name)), reachable);
            INFO(type.name);
            for (const auto* part : {"PersonalData", "Person", "Address", "Attribute", "LineProperties", "RefundNote"}) {
                CHECK_FALSE(reachable.contains(std::string("syncline.common.v1.") + part));
            }
        }
    }
}

TEST_CASE("contract: every enum starts with an unspecified zero value", "[contract][unit]") {
    const auto* file = contract().FindFileByName("syncline/orders/v1/order.proto");
    REQUIRE(file != nullptr);
    REQUIRE(file->enum_type_count() > 0);
    for (int i = 0; i < file->enum_type_count(); ++i) {
        CHECK(file->enum_type(i)->FindValueByNumber(0)->name().ends_with("_UNSPECIFIED"));
    }
}
