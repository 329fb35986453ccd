namespace TeleCmi.FaultHost;

/// <summary>How much a fault run sends, on which store, and what happens meanwhile.</summary>
public sealed class FaultRunOptions
{
    /// <summary>Whether the host is on an Azurite behind a proxy instead of the embedded store.</summary>
    public bool Azurite { get; set; }

    /// <summary>Events to send.</summary>
    public int Events { get; set; } = 300;

    /// <summary>How often everything of the host is killed hard and started again.</summary>
    public int Kills { get; set; } = 3;

    /// <summary>How often the embedded store's disk is full for a while; needs root on Linux.</summary>
    public int FullDisks { get; set; } = 1;

    /// <summary>How often the proxy refuses Azurite for a while.</summary>
    public int Outages { get; set; } = 2;

    /// <summary>How often Azurite is stopped and started again on its data.</summary>
    public int Restarts { get; set; } = 1;

    /// <summary>The longest pause before each of these, in milliseconds.</summary>
    public int Pause { get; set; } = 1500;

    /// <summary>The share of chunks on the wire to Azurite that are delayed, dropped or cut.</summary>
    public double WireFaults { get; set; } = 0.005;

    /// <summary>The seed of everything random; 0: a new one.</summary>
    public int Seed { get; set; }

    /// <summary>How long all work may take to finish afterwards, in seconds.</summary>
    public int Patience { get; set; } = 300;
}
