using Microsoft.Extensions.Options;

namespace TeleCmi.Functions.Tests;

/// <summary>What a wrong setting does: the app stops at its start, and says which one and what to write.</summary>
public sealed class StartTests
{
    [Theory]
    [InlineData("TeleCmiEventsQueue", "telecmi-events")]
    [InlineData("TeleCmiForwardsQueue", "telecmi-forwards")]
    public async Task Missing_queue_name_stops_the_app(string setting, string mend)
    {
        var settings = RunningApp.Settings();
        settings.Remove(setting);

        var fault = await Should.ThrowAsync<OptionsValidationException>(() => RunningApp.StartAsync(settings));

        fault.Message.ShouldContain($"{setting}: not set");
        fault.Message.ShouldContain($"Set it to {mend}.");
    }

    [Fact]
    public async Task Blank_queue_name_counts_as_missing()
    {
        var settings = RunningApp.Settings();
        settings["TeleCmiEventsQueue"] = " ";

        var fault = await Should.ThrowAsync<OptionsValidationException>(() => RunningApp.StartAsync(settings));

        fault.Message.ShouldContain("TeleCmiEventsQueue: not set");
    }

    [Fact]
    public async Task Missing_storage_stops_the_app()
    {
        var settings = RunningApp.Settings();
        settings.Remove("TeleCmiStorage");

        var fault = await Should.ThrowAsync<OptionsValidationException>(() => RunningApp.StartAsync(settings));

        fault.Message.ShouldContain("TeleCmiStorage: not set");
    }

    [Theory]
    [InlineData("TeleCmi__AccessTokens", "too-short")]
    [InlineData("TeleCmi__AcceptedEvents", "outgoing.answer")]
    [InlineData("TeleCmi__MaxEventBytes", "1000000")]
    [InlineData("TeleCmi__Forward__0__Url", "crm.example.com")]
    public async Task Wrong_value_stops_the_app(string setting, string value)
    {
        var settings = RunningApp.Settings();
        settings[setting] = value;

        var fault = await Should.ThrowAsync<OptionsValidationException>(() => RunningApp.StartAsync(settings));

        fault.Message.ShouldContain($"{setting}: ");
    }

    [Fact]
    public async Task Wrong_sampling_ratio_stops_the_app_even_without_application_insights()
    {
        var settings = RunningApp.Settings();
        settings["TeleCmi__TraceSamplingRatio"] = "0";

        var fault = await Should.ThrowAsync<InvalidOperationException>(() => RunningApp.StartAsync(settings));

        fault.Message.ShouldStartWith("TeleCmi__TraceSamplingRatio: ");
    }
}
