using System.Text.Json.Nodes;

namespace TeleCmi.Infra.Tests;

/// <summary>
/// What the templates would deploy, as Bicep's own deployment engine works it out without Azure (<c>bicep snapshot</c>):
/// conditions, loops and names are resolved, only what Azure itself would answer stays an expression.
/// </summary>
public sealed class Deployments : IAsyncLifetime
{
    public const string AccessToken = "an-access-token-that-no-one-uses";

    public const string ForwardSecret = "whsec_c2VjcmV0LXRoYXQtbm8tb25lLXVzZXMhISE=";

    public const string ReconcileSecret = "a-secret-of-the-reports-that-no-one-uses";

    private static readonly Lazy<Task<Deployment>> PlainOnce = new(() => Deployment.ComputeAsync("plain", ""));

    private static readonly Lazy<Task<Deployment>> FullOnce = new(() => Deployment.ComputeAsync(
        "full",
        $$"""
        param accessTokens = '{{AccessToken}}'
        param privateNetwork = 'on'
        param storageDeleteLock = true
        param allowedAddresses = ['203.0.113.0/24', '198.51.100.7/32']
        param alwaysReadyProcessing = 2
        param alwaysReadyForwarding = 1
        param forwardUrl = 'https://crm.example.com/hooks'
        param forwardSecrets = '{{ForwardSecret}}'
        param forwardAnsweredBy = 'customer'
        param forwardOncePerConversation = true
        param acceptedEvents = '*'
        param reconcileAppId = '2223343'
        param reconcileSecret = '{{ReconcileSecret}}'
        param reconcileBackfill = true
        param alertEmail = 'operator@example.com'
        param actionGroupId = '/subscriptions/x/resourceGroups/y/providers/Microsoft.Insights/actionGroups/z'
        param serverErrorPercent = 7
        param slowProcessingSeconds = 42
        param workingHours = { timeZone: 'Asia/Kolkata', days: [1, 2], firstHour: 9, lastHour: 17 }
        """));

    private static readonly Lazy<Task<Deployment>> PreparedOnce = new(() => Deployment.ComputeAsync("prepared", "param privateNetwork = 'prepare'"));

    /// <summary>Nothing set but what must be.</summary>
    public Deployment Plain { get; private set; } = null!;

    /// <summary>Every option in use.</summary>
    public Deployment Full { get; private set; } = null!;

    /// <summary>On the way to a private network.</summary>
    public Deployment Prepared { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Plain = await PlainOnce.Value;
        Full = await FullOnce.Value;
        Prepared = await PreparedOnce.Value;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

public sealed class Deployment
{
    private readonly JsonNode _snapshot;

    private Deployment(JsonNode snapshot) => _snapshot = snapshot;

    public IReadOnlyList<JsonNode> Resources => [.. _snapshot["predictedResources"]!.AsArray().Select(resource => resource!)];

    public JsonObject Outputs => _snapshot["outputs"]!.AsObject();

    public string Text => _snapshot.ToJsonString();

    public IReadOnlyList<JsonNode> OfType(string type) =>
        [.. Resources.Where(resource => (string?)resource["type"] == type)];

    /// <summary>The one resource of a type, in its last state where it is deployed in two steps.</summary>
    public JsonNode Only(string type) => OfType(type).GroupBy(resource => (string)resource["id"]!, StringComparer.Ordinal).ShouldHaveSingleItem().Last();

    public IReadOnlyDictionary<string, string> AppSettings() =>
        Only("Microsoft.Web/sites")["properties"]!["siteConfig"]!["appSettings"]!.AsArray()
            .ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!, StringComparer.Ordinal);

    internal static async Task<Deployment> ComputeAsync(string name, string parameters)
    {
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "deployments", name)).FullName;
        var template = Path.GetRelativePath(folder, Repository.PathOf("infra/main.bicep")).Replace('\\', '/');
        var file = Path.Combine(folder, "main.bicepparam");
        await File.WriteAllTextAsync(
            file,
            $"""
            using '{template}'
            param environmentName = 'test'
            param location = 'centralindia'
            {parameters}
            """);
        var result = await Tool.BicepAsync(
            "snapshot", file,
            "--mode", "overwrite",
            "--tenant-id", "00000000-0000-0000-0000-000000000001",
            "--subscription-id", "00000000-0000-0000-0000-000000000002",
            "--location", "centralindia",
            "--deployment-name", "test");
        result.OutputOfSuccess();
        return new(JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "main.snapshot.json")))!);
    }
}
