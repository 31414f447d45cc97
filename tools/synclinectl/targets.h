// Where the services and the brokers are: one YAML file, written by tools/dev or the chart.
//
//   token_file: /run/secrets/admin-token      # a line `name:token`, or the token alone
//   kafka: {brokers: "kafka:9092", prefix: syncline, properties: {security.protocol: ssl}}
//     password_file beside them: the SASL password, so that it need not stand here
//   services:
//     - {name: order-export, connection: odoo-main, admin: "http://order-export-odoo-main:9090"}
#pragma once

#include <syncline/core/error.h>
#include <map>
#include <string>
#include <vector>

namespace synclinectl {

struct ServiceAddress {
    std::string name;        // "order-export"
    std::string connection;  // "odoo-main"; empty for services without a target.
    std::string admin;       // http://host:port

    // "order-export/odoo-main": instances of one deployment have the same.
    [[nodiscard]] std::string deployment() const { return connection.empty() ? name : name + "/" + connection; }
};

struct Targets {
    std::string token;
    std::string brokers;  // Empty: no Kafka, what needs it says so.
    std::string prefix = "syncline";
    std::map<std::string, std::string> kafka_properties;
    std::vector<ServiceAddress> services;
};

// Errors of kind malformed name the file and the member, never the token.
[[nodiscard]] syncline::core::Result<Targets> read_targets(const std::string& file);

}  // namespace synclinectl
