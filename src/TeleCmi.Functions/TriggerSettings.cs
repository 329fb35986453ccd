using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>
/// The settings that the queue triggers name. The pipeline has defaults for them, the platform has none: without them a
/// trigger never listens, and only a line in the host's log says so. So here a missing one stops the app.
/// </summary>
internal static class TriggerSettings
{
    public static IServiceCollection AddTriggerSettings(this IServiceCollection services) =>
        services.AddSingleton<IValidateOptions<StorageOptions>, Validator>();

    internal sealed class Validator(IConfiguration configuration) : IValidateOptions<StorageOptions>
    {
        public ValidateOptionsResult Validate(string? name, StorageOptions options)
        {
            string[] missing =
            [
                .. new (string Name, string Default)[]
                    {
                        (StorageOptions.EventsQueueName, options.EventsQueue),
                        (StorageOptions.ForwardsQueueName, options.ForwardsQueue),
                    }
                    .Where(setting => string.IsNullOrWhiteSpace(configuration[setting.Name]))
                    .Select(setting => $"{setting.Name}: not set, and the queue trigger needs it. Set it to {setting.Default}."),
            ];
            return missing.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(missing);
        }
    }
}
