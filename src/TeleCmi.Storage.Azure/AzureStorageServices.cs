using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Azure;

/// <summary>Puts the pipeline on an Azure Storage account.</summary>
public static class AzureStorageServices
{
    /// <summary>Adds the account that <c>TeleCmiStorage</c> names, its settings validated at start.</summary>
    public static IServiceCollection AddAzureStorage(this IServiceCollection services)
    {
        services.AddOptions<AzureStorageOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<AzureStorageOptions>, AzureStorageOptionsValidator>();
        return services.AddSingleton<IStore, AzureStore>();
    }
}
