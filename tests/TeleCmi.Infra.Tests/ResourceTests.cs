using System.Text.Json.Nodes;

namespace TeleCmi.Infra.Tests;

public sealed class ResourceTests(Deployments deployments) : IClassFixture<Deployments>
{
    private static readonly string[] AlwaysThere =
    [
        "Microsoft.Resources/resourceGroups",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Storage/storageAccounts/queueServices",
        "Microsoft.Storage/storageAccounts/queueServices/queues",
        "Microsoft.Storage/storageAccounts/tableServices",
        "Microsoft.Storage/storageAccounts/tableServices/tables",
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.OperationalInsights/workspaces/tables",
        "Microsoft.Insights/dataCollectionRules",
        "Microsoft.Insights/components",
        "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/workbooks",
        "Microsoft.Web/serverfarms",
        "Microsoft.Web/sites",
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    ];

    private static readonly string[] WhenAsked =
    [
        "Microsoft.Authorization/locks",
        "Microsoft.Insights/actionGroups",
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "Microsoft.Network/virtualNetworks",
    ];

    [Fact]
    public void Nothing_IsDeployedThatIsNotListedHere()
    {
        Types(deployments.Plain).ShouldBe(AlwaysThere, ignoreOrder: true);
        Types(deployments.Full).ShouldBe([.. AlwaysThere, .. WhenAsked], ignoreOrder: true);

        static IEnumerable<string> Types(Deployment deployment) =>
            deployment.Resources.Select(resource => (string)resource["type"]!).Distinct(StringComparer.Ordinal);
    }

    [Fact]
    public void Identity_HasTheseRolesAndNoOthers()
    {
        foreach (var deployment in new[] { deployments.Plain, deployments.Full })
        {
            var storage = (string)deployment.Only("Microsoft.Storage/storageAccounts")["id"]!;
            var telemetry = (string)deployment.Only("Microsoft.Insights/components")["id"]!;
            var identity = (string)deployment.Only("Microsoft.ManagedIdentity/userAssignedIdentities")["id"]!;
            var assignments = deployment.OfType("Microsoft.Authorization/roleAssignments");

            assignments.Select(assignment => (Scope(assignment), Role(assignment))).ShouldBe(
                [
                    (storage, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"), // Storage Blob Data Owner
                    (storage, "974c5e8b-45b9-4653-ba55-5f855dd0fb88"), // Storage Queue Data Contributor
                    (storage, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"), // Storage Table Data Contributor
                    (telemetry, "3913510d-42f4-4e42-8a64-420c390055eb"), // Monitoring Metrics Publisher
                ],
                ignoreOrder: true);
            assignments.ShouldAllBe(assignment => ((string)assignment["properties"]!["principalId"]!).Contains(identity, StringComparison.Ordinal));
        }

        static string Scope(JsonNode assignment) => ((string)assignment["id"]!).Split("/providers/Microsoft.Authorization/")[0];
        static string Role(JsonNode assignment) => ((string)assignment["properties"]!["roleDefinitionId"]!).Split('/')[^1];
    }

    [Fact]
    public void Storage_TakesIdentitiesOnlyAndHidesWhenAsked()
    {
        foreach (var deployment in new[] { deployments.Plain, deployments.Full })
        {
            var account = deployment.Only("Microsoft.Storage/storageAccounts")["properties"]!;
            ((bool)account["allowSharedKeyAccess"]!).ShouldBeFalse();
            ((bool)account["allowBlobPublicAccess"]!).ShouldBeFalse();
            ((bool)account["supportsHttpsTrafficOnly"]!).ShouldBeTrue();
            ((string)account["minimumTlsVersion"]!).ShouldBe("TLS1_2");
            ((string)deployment.Only("Microsoft.Storage/storageAccounts/blobServices/containers")["properties"]!["publicAccess"]!).ShouldBe("None");
        }

        Access(deployments.Plain).ShouldBe(("Enabled", "Allow"));
        Access(deployments.Prepared).ShouldBe(("Enabled", "Allow"));
        Access(deployments.Full).ShouldBe(("Disabled", "Deny"));
        deployments.Full.OfType("Microsoft.Network/privateEndpoints")
            .Select(endpoint => (string)endpoint["properties"]!["privateLinkServiceConnections"]![0]!["properties"]!["groupIds"]![0]!)
            .ShouldBe(["blob", "queue", "table"], ignoreOrder: true);

        static (string, string) Access(Deployment deployment)
        {
            var account = deployment.Only("Microsoft.Storage/storageAccounts")["properties"]!;
            return ((string)account["publicNetworkAccess"]!, (string)account["networkAcls"]!["defaultAction"]!);
        }
    }

    // Closed at once, storage would be out of reach until the app has joined the network: prepare comes first.
    [Fact]
    public void PreparingAPrivateNetwork_GivesTheAppThePrivateWayBeforeThePublicOneCloses()
    {
        deployments.Plain.Only("Microsoft.Web/sites")["properties"]!["virtualNetworkSubnetId"].ShouldBeNull();
        foreach (var deployment in new[] { deployments.Prepared, deployments.Full })
        {
            deployment.OfType("Microsoft.Network/privateEndpoints").Count.ShouldBe(3);
            ((string)deployment.Only("Microsoft.Web/sites")["properties"]!["virtualNetworkSubnetId"]!).ShouldContain("/subnets/");
        }
    }

    [Fact]
    public void Storage_CanBeProtectedFromDeletion()
    {
        deployments.Plain.OfType("Microsoft.Authorization/locks").ShouldBeEmpty();

        var guard = deployments.Full.Only("Microsoft.Authorization/locks");
        ((string)guard["properties"]!["level"]!).ShouldBe("CanNotDelete");
        ((string)guard["id"]!).ShouldStartWith((string)deployments.Full.Only("Microsoft.Storage/storageAccounts")["id"]!);
    }

    [Fact]
    public void LogTables_KeepTelemetryAsLongAsTheWorkspaceAndNoLonger()
    {
        var days = (int)deployments.Plain.Only("Microsoft.OperationalInsights/workspaces")["properties"]!["retentionInDays"]!;
        var tables = deployments.Plain.OfType("Microsoft.OperationalInsights/workspaces/tables");

        days.ShouldBe(30);
        tables.Select(table => ((string)table["name"]!).Split('/')[^1]).ShouldBe(
            ["AppDependencies", "AppExceptions", "AppMetrics", "AppPerformanceCounters", "AppRequests", "AppTraces"], ignoreOrder: true);
        tables.ShouldAllBe(table => (int)table["properties"]!["retentionInDays"]! == days && (int)table["properties"]!["totalRetentionInDays"]! == days);
    }

    [Fact]
    public void WhatComesIntoTheWorkspace_PassesTheTransformations()
    {
        var rule = deployments.Plain.Only("Microsoft.Insights/dataCollectionRules");
        var workspace = deployments.Plain.Only("Microsoft.OperationalInsights/workspaces");

        ((string)rule["kind"]!).ShouldBe("WorkspaceTransforms");
        ((string)rule["properties"]!["destinations"]!["logAnalytics"]!.AsArray().ShouldHaveSingleItem()!["workspaceResourceId"]!).ShouldBe((string)workspace["id"]!);
        ((string)workspace["properties"]!["defaultDataCollectionRuleResourceId"]!).ShouldBe((string)rule["id"]!);
        rule["properties"]!["dataFlows"]!.AsArray().Select(flow => (string)flow!["streams"]![0]!)
            .ShouldBe(["Microsoft-Table-AppRequests", "Microsoft-Table-AppMetrics"], ignoreOrder: true);
        rule["properties"]!["dataFlows"]!.AsArray().ShouldAllBe(flow => !((string)flow!["transformKql"]!).Contains('\n'));
    }

    [Fact]
    public void App_RunsAsThePlatformNeedsIt()
    {
        var app = deployments.Plain.Only("Microsoft.Web/sites");
        var site = app["properties"]!;
        var identity = (string)deployments.Plain.Only("Microsoft.ManagedIdentity/userAssignedIdentities")["id"]!;

        ((string)deployments.Plain.Only("Microsoft.Web/serverfarms")["sku"]!["name"]!).ShouldBe("FC1");
        ((string)app["kind"]!).ShouldBe("functionapp,linux");
        ((string)app["tags"]!["azd-service-name"]!).ShouldBe("receiver");
        Repository.Read("azure.yaml").ShouldContain("\n  receiver:\n");
        app["identity"]!["userAssignedIdentities"]!.AsObject().ShouldHaveSingleItem().Key.ShouldBe(identity);
        ((bool)site["httpsOnly"]!).ShouldBeTrue();
        ((string)site["siteConfig"]!["minTlsVersion"]!).ShouldBe("1.2");
        site["siteConfig"]!["ftpsState"].ShouldBeNull("Flex Consumption refuses it.");

        var config = site["functionAppConfig"]!;
        ((string)config["runtime"]!["name"]!).ShouldBe("dotnet-isolated");
        ((string)config["runtime"]!["version"]!).ShouldBe("10.0");
        ((string)config["deployment"]!["storage"]!["authentication"]!["userAssignedIdentityResourceId"]!).ShouldBe(identity);
        deployments.Plain.OfType("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
            .ShouldAllBe(policy => !(bool)policy["properties"]!["allow"]!);
    }

    [Fact]
    public void Instances_StandReadyWhereAskedFor()
    {
        Ready(deployments.Plain).ShouldBe([("http", 1)]);
        Ready(deployments.Full).ShouldBe([("http", 1), ("function:ProcessEvent", 2), ("function:ForwardEvent", 1)]);

        static IEnumerable<(string, int)> Ready(Deployment deployment) =>
            deployment.Only("Microsoft.Web/sites")["properties"]!["functionAppConfig"]!["scaleAndConcurrency"]!["alwaysReady"]!.AsArray()
                .Select(ready => ((string)ready!["name"]!, (int)ready["instanceCount"]!));
    }

    [Fact]
    public void Webhook_IsOpenUntilAddressesAreGiven()
    {
        var open = deployments.Plain.Only("Microsoft.Web/sites")["properties"]!["siteConfig"]!;
        ((string)open["ipSecurityRestrictionsDefaultAction"]!).ShouldBe("Allow");

        var closed = deployments.Full.Only("Microsoft.Web/sites")["properties"]!["siteConfig"]!;
        ((string)closed["ipSecurityRestrictionsDefaultAction"]!).ShouldBe("Deny");
        closed["ipSecurityRestrictions"]!.AsArray().Select(rule => ((string)rule!["ipAddress"]!, (string)rule["action"]!))
            .ShouldBe([("203.0.113.0/24", "Allow"), ("198.51.100.7/32", "Allow")]);
    }

    [Fact]
    public void Telemetry_IsTakenFromIdentitiesOnly()
    {
        var component = deployments.Plain.Only("Microsoft.Insights/components")["properties"]!;
        ((bool)component["DisableLocalAuth"]!).ShouldBeTrue();
        ((string)component["WorkspaceResourceId"]!).ShouldBe((string)deployments.Plain.Only("Microsoft.OperationalInsights/workspaces")["id"]!);
    }

    [Fact]
    public void AccessToken_StaysASecureParameter()
    {
        deployments.Full.AppSettings()["TeleCmi__AccessTokens"].ShouldBe("[parameters('accessTokens')]");
        deployments.Full.Text.ShouldNotContain(Deployments.AccessToken);
    }

    [Fact]
    public void DestinationsSecret_StaysASecureParameter()
    {
        deployments.Full.AppSettings()["TeleCmi__Forward__0__Secrets"].ShouldBe("[parameters('forwardSecrets')]");
        deployments.Full.Text.ShouldNotContain(Deployments.ForwardSecret);
    }
}
